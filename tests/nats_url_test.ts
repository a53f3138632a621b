import { assertEquals, assertThrows } from "@std/assert";
import { InvalidAddressError } from "../mod.ts";
import { nats } from "../lib/sinks/nats.ts";
import { parseNatsUrl } from "../lib/sinks/nats/url.ts";

Deno.test("a NATS URL is a host, a port and a subject", () => {
  assertEquals(parseNatsUrl("nats://127.0.0.1:4333/pli.site-1.Door_2"), {
    hostname: "127.0.0.1",
    port: 4333,
    tls: false,
    subject: "pli.site-1.Door_2",
    destination: "nats://127.0.0.1:4333/pli.site-1.Door_2",
    credentials: {},
  });
});

for (
  const [given, hostname, port, destination] of [
    ["nats://localhost/pli", "localhost", 4222, "nats://localhost:4222/pli"],
    ["NATS://h:1/PLI", "h", 1, "nats://h:1/PLI"],
    ["nats://[::1]/pli", "::1", 4222, "nats://[::1]:4222/pli"],
    ["nats://[::0001]:9/pli", "::1", 9, "nats://[::1]:9/pli"],
    ["tls://nats.example.org/pli", "nats.example.org", 4222, undefined],
  ] as const
) {
  Deno.test(`the port of a NATS URL is 4222 by default: ${given}`, () => {
    const url = parseNatsUrl(given);
    assertEquals([url.hostname, url.port], [hostname, port]);
    assertEquals(url.tls, given.startsWith("tls"));
    if (destination) assertEquals(url.destination, destination);
  });
}

for (
  const [userinfo, credentials] of [
    ["u:p", { user: "u", pass: "p" }],
    ["u:", { user: "u", pass: "" }],
    ["u%40home:a%3Ab%2Fc%25", { user: "u@home", pass: "a:b/c%" }],
    ["u:a:b", { user: "u", pass: "a:b" }],
    ["t%20k", { token: "t k" }],
  ] as const
) {
  Deno.test(`credentials are decoded, and not in the destination: ${userinfo}`, () => {
    const url = parseNatsUrl(`nats://${userinfo}@h:1/pli`);
    assertEquals({ ...url.credentials }, { ...credentials });
    assertEquals(url.destination, "nats://h:1/pli");
  });
}

for (
  const [given, wanted] of [
    ["", "give a broker and a subject"],
    ["127.0.0.1:4222/pli", "give a broker and a subject"],
    ["http://127.0.0.1:4222/pli", "give a broker and a subject"],
    ["nats:///pli", "a host and a port"],
    ["nats://:4222/pli", "a host and a port"],
    ["nats://h:0/pli", "a host and a port"],
    ["nats://h:65536/pli", "a host and a port"],
    ["nats://h:x/pli", "a host and a port"],
    ["nats://::1/pli", "a host and a port"],
    ["nats://::1:4222/pli", "a host and a port"],
    ["nats://[::1/pli", "a host and a port"],
    ["nats://1.2.3/pli", "a host and a port"],
    ["nats://a b/pli", "a host and a port"],
    ["nats://h", "the subject is missing"],
    ["nats://h/", "the subject is missing"],
    ["nats://h:4222/pli.*", 'must not contain "*"'],
    ["nats://h:4222/pli.>", 'must not contain ">"'],
    ["nats://h:4222/a b", 'must not contain " "'],
    ["nats://h:4222/a\r\nPUB", "a subject to publish to must not contain"],
    ["nats://h:4222/a/b", 'must not contain "/"'],
    ["nats://h:4222/pli?x=1", 'must not contain "?"'],
    ["nats://h:4222/pli\u202e", "a subject to publish to must not contain"],
    ["nats://h:4222/.pli", "must not begin or end with a dot"],
    ["nats://h:4222/pli.", "must not begin or end with a dot"],
    ["nats://h:4222/a..b", "or contain two in a row"],
    ["nats://h:4222/$JS.API.INFO", "reserved for the broker"],
    [`nats://h:4222/${"a".repeat(256)}`, "at most 255 bytes"],
    ["nats://@h/pli", "credentials must be"],
    ["nats://:p@h/pli", "credentials must be"],
    ["nats://u:%zz@h/pli", "credentials must be"],
  ] as const
) {
  Deno.test(`an invalid NATS URL says what is valid: ${JSON.stringify(given).slice(0, 40)}`, () => {
    const error = assertThrows(
      () => parseNatsUrl(given),
      InvalidAddressError,
      wanted,
    );
    assertEquals(/[^\x20-\x7e…]/.test(error.message), false, error.message);
  });
}

for (
  const given of [
    "nats://u:s3cret@h/pli.*",
    "nats://s3cret@h",
    "nats://u:s3cret@/pli",
    "nats://u:s3cret/@h/pli",
    "nats://u:%s3cret@h/pli",
    "http://u:s3cret@h/pli",
    "u:s3cret@h:4222/pli",
    "nats:u:s3cret@h/pli",
  ]
) {
  Deno.test(`the error for an invalid URL has no credentials: ${given}`, () => {
    const error = assertThrows(() => parseNatsUrl(given), InvalidAddressError);
    assertEquals(error.message.includes("cret"), false, error.message);
  });
}

for (
  const [options, wanted] of [
    [{ maxQueued: 0 }, "maxQueued must be a whole number from 1: given 0"],
    [{ maxQueued: 1.5 }, "maxQueued must be a whole number from 1: given 1.5"],
    [{ maxQueued: NaN }, "maxQueued must be a whole number from 1: given NaN"],
    [
      { flushTimeoutMs: -1 },
      "flushTimeoutMs must be a whole number from 0 to 2147483647: given -1",
    ],
    [
      { flushTimeoutMs: Infinity },
      "flushTimeoutMs must be a whole number from 0 to 2147483647: given Infinity",
    ],
  ] as const
) {
  Deno.test(`a NATS sink refuses ${Deno.inspect(options)}`, () => {
    assertThrows(
      () => nats("nats://h/pli", options),
      RangeError,
      `Cannot publish to NATS: ${wanted}`,
    );
  });
}

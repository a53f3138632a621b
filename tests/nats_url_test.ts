import { assertEquals, assertThrows } from "@std/assert";
import { InvalidAddressError } from "../mod.ts";
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
  Deno.test(`its port is 4222 by default, its form is one: ${given}`, () => {
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
  Deno.test(`credentials are decoded, and not part of the destination: ${userinfo}`, () => {
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
    ["nats://h:4222/pli.*", 'no "*"'],
    ["nats://h:4222/pli.>", 'no ">"'],
    ["nats://h:4222/a b", 'no " "'],
    ["nats://h:4222/a\r\nPUB", "a subject to publish to has no"],
    ["nats://h:4222/a/b", 'no "/"'],
    ["nats://h:4222/pli?x=1", 'no "?"'],
    ["nats://h:4222/pli\u202e", "a subject to publish to has no"],
    ["nats://h:4222/.pli", "no dot at its ends"],
    ["nats://h:4222/pli.", "no dot at its ends"],
    ["nats://h:4222/a..b", "no two side by side"],
    ["nats://h:4222/$JS.API.INFO", "the broker's own"],
    [`nats://h:4222/${"a".repeat(256)}`, "at most 255 bytes"],
    ["nats://@h/pli", "credentials are"],
    ["nats://:p@h/pli", "credentials are"],
    ["nats://u:%zz@h/pli", "credentials are"],
  ]
) {
  Deno.test(`no NATS URL, and what would do: ${JSON.stringify(given)}`, () => {
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
  Deno.test(`what is wrong with a URL is said without its credentials: ${given}`, () => {
    const error = assertThrows(() => parseNatsUrl(given), InvalidAddressError);
    assertEquals(error.message.includes("cret"), false, error.message);
  });
}

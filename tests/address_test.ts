import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  escapeControls,
  formatAddress,
  InvalidAddressError,
  parseAddress,
} from "../mod.ts";
import { net, random } from "./support/helpers.ts";

// An address as it is given, and in its canonical form.
const READ: [text: string, canonical: string][] = [
  ["udp://127.0.0.1:62000", "udp://127.0.0.1:62000"],
  ["127.0.0.1:62000", "udp://127.0.0.1:62000"],
  [":62000", "udp://127.0.0.1:62000"],
  ["UDP://127.0.0.1:1", "udp://127.0.0.1:1"],
  ["udp://0.0.0.0:0", "udp://0.0.0.0:0"],
  ["udp://255.255.255.255:65535", "udp://255.255.255.255:65535"],
  ["udp://10.0.0.9:00080", "udp://10.0.0.9:80"],
  ["udp://localhost:5", "udp://localhost:5"],
  ["udp://Host-1.example:5", "udp://Host-1.example:5"],
  ["udp://example.org.:5", "udp://example.org.:5"],
  ["udp://_dns._udp.local:5", "udp://_dns._udp.local:5"],
  [`udp://${"a".repeat(63)}.x:5`, `udp://${"a".repeat(63)}.x:5`],
  ["udp://[::]:0", "udp://[::]:0"],
  ["[::1]:5", "udp://[::1]:5"],
  // RFC 5952, sections 4.1 to 4.3.
  ["[2001:0db8::0001]:5", "udp://[2001:db8::1]:5"],
  ["[2001:db8:0:0:0:0:2:1]:5", "udp://[2001:db8::2:1]:5"],
  ["[2001:db8:0:1:1:1:1:1]:5", "udp://[2001:db8:0:1:1:1:1:1]:5"],
  ["[2001:0:0:1:0:0:0:1]:5", "udp://[2001:0:0:1::1]:5"],
  ["[2001:db8:0:0:1:0:0:1]:5", "udp://[2001:db8::1:0:0:1]:5"],
  ["[2001:DB8::ABCD]:5", "udp://[2001:db8::abcd]:5"],
  ["[::ffff:192.0.2.1]:5", "udp://[::ffff:192.0.2.1]:5"],
  ["[::FFFF:c000:201]:5", "udp://[::ffff:192.0.2.1]:5"],
  ["[::ffff:0:0]:5", "udp://[::ffff:0.0.0.0]:5"],
  ["[fe80::1%eth0]:5", "udp://[fe80::1%eth0]:5"],
  ["[FE80:0::1%2]:5", "udp://[fe80::1%2]:5"],
  ["tcp://127.0.0.1:1", "tcp://127.0.0.1:1"],
  ["TLS://example.org:1", "tls://example.org:1"],
  ["quic://[::1]:1", "quic://[::1]:1"],
  ["unix:/run/pli.sock", "unix:/run/pli.sock"],
  ["unix:relative.sock", "unix:relative.sock"],
  ["unix://x", "unix://x"],
  ["unix:/a b\n", "unix:/a b\n"],
  [`unix:${"p".repeat(107)}`, `unix:${"p".repeat(107)}`],
];

const REFUSED = [
  "",
  " ",
  "62000",
  "127.0.0.1",
  "127.0.0.1:",
  "udp://",
  "udp://:62000",
  "udp:///x:1",
  "udp:127.0.0.1:1",
  "ftp://127.0.0.1:1",
  "toString://127.0.0.1:1",
  "://127.0.0.1:1",
  "http://udp://127.0.0.1:1",
  "127.0.0.1:65536",
  "127.0.0.1:70000",
  "127.0.0.1:100000",
  "127.0.0.1:-1",
  "127.0.0.1:+1",
  "127.0.0.1:1.5",
  "127.0.0.1:1e3",
  "127.0.0.1:0x10",
  "127.0.0.1:１",
  "127.0.0.1:62000/",
  "127.0.0.1:62000?a",
  "127.0.0.1:62000#a",
  "user@127.0.0.1:1",
  " 127.0.0.1:1",
  "127.0.0.1:1\n",
  "127.0.0.1 :1",
  "127.0.0:1",
  "127.1:1",
  "127.0.0.256:1",
  "127.0.0.1.1:1",
  "127.0.0.1.:1",
  "1.2.3.0x4:1",
  "0x7f000001:1",
  "2130706433:1",
  "010.0.0.1:1",
  "127.0.0.01:1",
  "00.0.0.0:1",
  "::1:5",
  "[::1]",
  "[::1]5",
  "[::1:5",
  "::1]:5",
  "[]:5",
  "[::1::]:5",
  "[1:2:3:4:5:6:7]:5",
  "[1:2:3:4:5:6:7:8:9]:5",
  "[12345::]:5",
  "[::g]:5",
  "[::1%]:5",
  "[fe80::1%a b]:5",
  "[127.0.0.1]:5",
  "[localhost]:5",
  "[[::1]]:5",
  "a..b:1",
  ".a:1",
  "-a:1",
  "a-:1",
  "é.example:1",
  "a%b:1",
  "a\\b:1",
  "a\u0000b:1",
  "a\u202eb:1",
  `${"a".repeat(64)}:1`,
  `${"a.".repeat(130)}a:1`,
  "unix:",
  "unix:a\u0000b",
  "unix:@a%b",
  `unix:@${"p".repeat(108)}`,
  `unix:${"p".repeat(108)}`,
  `unix:${"é".repeat(54)}`,
  "UNIX:/run/pli.sock",
];

function shown(text: string): string {
  return escapeControls(JSON.stringify(text.replace(/(.)\1{20,}/g, "$1…")));
}

function refusal(text: string): InvalidAddressError {
  const error = assertThrows(() => parseAddress(text), InvalidAddressError);
  const given = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  assertStringIncludes(error.message, `"${escapeControls(given)}"`);
  assertEquals(escapeControls(error.message), error.message);
  return error;
}

for (const [text, canonical] of READ) {
  Deno.test(`parseAddress reads ${shown(text)}`, () => {
    assertEquals(formatAddress(parseAddress(text)), canonical);
    assertEquals(parseAddress(canonical), parseAddress(text));
  });
}

for (const text of REFUSED) {
  Deno.test(`parseAddress rejects ${shown(text)}`, () => {
    refusal(text);
  });
}

Deno.test("parseAddress returns the form that Deno takes", () => {
  assertEquals(parseAddress("udp://[::1]:5"), net("::1", 5));
  assertEquals(parseAddress("localhost:0"), net("localhost", 0));
  assertEquals(parseAddress("unix:/a"), {
    transport: "unixpacket",
    path: "/a",
  });
});

Deno.test("parseAddress rejects a value that is not text, and shows it", () => {
  const cases: [unknown, string][] = [
    [undefined, '"undefined"'],
    [null, '"null"'],
    [62_000, '"62000"'],
    [{}, '"an object"'],
    [[], '"an array"'],
    [true, '"true"'],
  ];
  for (const [given, text] of cases) {
    const error = assertThrows(
      () => parseAddress(given as unknown as string),
      InvalidAddressError,
    );
    assertStringIncludes(error.message, text);
  }
});

Deno.test("a rejection names a valid form", () => {
  assertStringIncludes(refusal("").message, "udp://127.0.0.1:62000");
  assertStringIncludes(refusal("ftp://a:1").message, '"ftp" is unknown');
  assertStringIncludes(refusal("a:70000").message, "from 0 to 65535");
  assertStringIncludes(refusal("localhost").message, "port is missing");
  assertStringIncludes(refusal("::1:5").message, "in brackets");
});

for (
  const [text, path] of [
    ["unix:@app", "\0app"],
    ["unix:@", "\0"],
    ["unix:@a%00b%25", "\0a\0b%"],
    [`unix:@${"q".repeat(107)}`, `\0${"q".repeat(107)}`],
    ["unix:./@file", "@file"],
  ]
) {
  Deno.test(`${text} is a name that the system may hand in, both ways`, () => {
    const address = { transport: "unixpacket" as const, path: path! };
    assertEquals(parseAddress(text!), address);
    assertEquals(formatAddress(address), text);
  });
}

Deno.test("formatAddress shows a peer without a path", () => {
  const unnamed = { transport: "unixpacket", path: null };
  assertEquals(formatAddress(unnamed as unknown as Deno.UnixAddr), "unix:");
});

Deno.test("parseAddress is the inverse of formatAddress for random addresses", () => {
  const below = random(1);
  const octet = () => below(256);
  const letters = (size: number) =>
    Array.from({ length: size }, () => "abcxyz019_"[below(10)]).join("") + "k";
  for (let i = 0; i < 2000; i++) {
    const host = [
      () => [octet(), octet(), octet(), octet()].join("."),
      () => `${letters(below(20))}.${letters(below(5))}`,
      () => canonicalHost(groups(below)),
      () => `${canonicalHost(groups(below))}%${letters(3)}`,
    ][below(4)]!();
    const path = [
      () => `/${letters(below(90))}`,
      () => `@${letters(below(90))}`,
      () => `\0${letters(below(90))}`,
      () => `\0%\0${letters(below(90))}%00@\0`,
    ][below(4)]!();
    const address = below(8) === 0
      ? { transport: "unixpacket" as const, path }
      : net(host, below(65_536));
    assertEquals(parseAddress(formatAddress(address)), address);
  }
});

Deno.test("the canonical form of an IPv6 address means the same address", () => {
  const below = random(2);
  for (let i = 0; i < 2000; i++) {
    const given = groups(below);
    const written = given.map((group) =>
      group.toString(16).padStart(1 + below(4), "0")
    ).join(":");
    const canonical = canonicalHost(given);
    assertEquals(parseAddress(`[${written}]:1`), net(canonical, 1));
    assertEquals(expand(canonical), given);
  }
});

Deno.test("random text gives an address or an InvalidAddressError, and nothing else", () => {
  const below = random(3);
  const pieces =
    "udp:// unix: tcp :// : [ ] % / . - _ @ # ? \\ \0 \n \u202e \ud800 é 💥 127.0.0.1 ::1 ffff fe80 localhost 0 1 65535 65536 0x a z"
      .split(" ");
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from(
      { length: 1 + below(7) },
      () => pieces[below(pieces.length)],
    ).join("");
    try {
      const address = parseAddress(text);
      assertEquals(parseAddress(formatAddress(address)), address);
      read++;
    } catch (error) {
      assertInstanceOf(error, InvalidAddressError, text);
      refusal(text);
    }
  }
  assert(read > 100, `only ${read} were addresses`);
});

/** Eight random groups; about half are zero. */
function groups(below: (limit: number) => number): number[] {
  return Array.from(
    { length: 8 },
    () => below(2) === 0 ? 0 : below(65_536),
  );
}

function canonicalHost(given: number[]): string {
  const text = given.map((group) => group.toString(16)).join(":");
  return (parseAddress(`[${text}]:1`) as Deno.NetAddr).hostname;
}

/** The eight groups of an IPv6 address (RFC 4291, section 2.2). */
function expand(host: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  const [head = [], tail = []] =
    (dotted === null ? host : dotted[1] + twoGroups(dotted.slice(2)))
      .split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = Array(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
}

function twoGroups(octets: string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

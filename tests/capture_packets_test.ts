/** Which packets of a capture have UDP datagrams, and how the others count. */
import { assertEquals } from "@std/assert";
import {
  be,
  cat,
  ethernet,
  extension,
  fragment6,
  ipv4,
  ipv6,
  pcap,
  read,
  udp,
} from "./support/captures.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const UDP4 = ipv4(udp("x"));
const UDP6 = ipv6(udp("x"));
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** The header of Linux's "any", of which the EtherType matters. */
const cooked = (type: number, payload: Bytes) =>
  cat(Array(14).fill(0), be(2, type), payload);
const cooked2 = (type: number, payload: Bytes) =>
  cat(be(2, type), Array(18).fill(0), payload);
const snap = (payload: Bytes) =>
  ethernet(
    8 + payload.length,
    cat([0xaa, 0xaa, 3, 0, 0, 0], be(2, IPV4), payload),
  );

for (
  const [what, linkType, packet] of [
    ["Ethernet, IPv4", 1, ethernet(IPV4, UDP4)],
    ["Ethernet, IPv6", 1, ethernet(IPV6, UDP6)],
    ["Ethernet with a trailer", 1, ethernet(IPV4, cat(UDP4, "trailer"))],
    ["Ethernet with SNAP", 1, snap(UDP4)],
    [
      "a link type with the length of a checksum",
      0x14000001,
      ethernet(IPV4, cat(UDP4, "sums")),
    ],
    ["VLAN", 1, ethernet(IPV4, UDP4, [0x8100])],
    ["Q-in-Q", 1, ethernet(IPV6, UDP6, [0x88a8, 0x8100])],
    ["three tags", 1, ethernet(IPV4, UDP4, [0x9100, 0x9100, 0x8100])],
    ["loopback, IPv4", 0, cat([2, 0, 0, 0], UDP4)],
    ["loopback, IPv4, big endian", 0, cat([0, 0, 0, 2], UDP4)],
    ["loopback, IPv6 of NetBSD", 0, cat([24, 0, 0, 0], UDP6)],
    ["loopback, IPv6 of FreeBSD", 0, cat([0, 0, 0, 28], UDP6)],
    ["loopback, IPv6 of macOS", 0, cat([30, 0, 0, 0], UDP6)],
    ["raw, IPv4", 101, UDP4],
    ["raw, IPv6", 101, UDP6],
    ["raw IPv4", 228, UDP4],
    ["raw IPv6", 229, UDP6],
    ["Linux any", 113, cooked(IPV4, UDP4)],
    ["Linux any, VLAN", 113, cooked(0x8100, cat([0, 5], be(2, IPV6), UDP6))],
    ["Linux any, second version", 276, cooked2(IPV6, UDP6)],
    ["IPv4 with options", 228, ipv4(udp("x"), { options: Array(40).fill(1) })],
    [
      "IPv4 without a length, as before segmentation",
      228,
      ipv4(udp("x"), { total: 0 }),
    ],
    ["IPv4 longer than its UDP", 228, ipv4(cat(udp("x"), "more"))],
    ["hop-by-hop options", 229, ipv6(extension(17, udp("x")), 0)],
    [
      "routing and destination options",
      229,
      ipv6(extension(60, extension(17, udp("x"), 3)), 43),
    ],
    [
      "an authentication header",
      229,
      ipv6(cat([17, 4], Array(22).fill(0), udp("x")), 51),
    ],
    ["a fragment that is all", 229, ipv6(fragment6(udp("x")), 44)],
    ["a jumbogram", 229, ipv6(udp("x", 0), 17, 0)],
  ] as [string, number, Bytes][]
) {
  Deno.test(`a datagram is found in ${what}`, async () => {
    const { texts, datagrams, stats } = await read(
      pcap([packet], { linkType }),
    );
    assertEquals(texts, ["x"]);
    const [{ from, to } = { from: undefined, to: undefined }] = datagrams;
    const prefix = from?.hostname.startsWith("fd00") ? "fd00::" : "10.0.0.";
    assertEquals(from, {
      transport: "udp",
      hostname: `${prefix}1`,
      port: 1000,
    });
    assertEquals(to, { transport: "udp", hostname: `${prefix}2`, port: 2000 });
    assertEquals([stats.packets, stats.datagrams], [1, 1]);
  });
}

for (
  const [kind, linkType, packet] of [
    ["tcp", 228, ipv4(cat("any"), { protocol: 6 })],
    ["icmp", 228, ipv4(UDP4, { protocol: 1 })],
    ["icmpv6", 229, ipv6(cat("any"), 58)],
    ["ipip", 228, ipv4(UDP4, { protocol: 4 })],
    ["gre", 229, ipv6(extension(47, cat("any")), 60)],
    ["ip protocol 200", 228, ipv4(cat("any"), { protocol: 200 })],
    ["no next header", 229, ipv6(cat(""), 59)],
    ["tcp", 229, ipv6(fragment6(cat("12345678"), { next: 6, more: true }), 44)],
    ["arp", 1, ethernet(0x0806, cat("any"))],
    ["mpls", 1, ethernet(0x8847, UDP4)],
    ["ethertype 0x1234", 1, ethernet(0x1234, cat("any"))],
    ["llc", 1, ethernet(3, cat("abc"))],
    ["address family 7", 0, cat([7, 0, 0, 0], UDP4)],
    ["link type 105", 105, cat("any")],
  ] as [string, number, Bytes][]
) {
  Deno.test(`a packet that is not UDP counts by kind: ${kind}, link type ${linkType}`, async () => {
    const { texts, stats, error } = await read(pcap([packet], { linkType }));
    assertEquals([texts, error, stats.others], [[], undefined, { [kind]: 1 }]);
  });
}

for (
  const [what, linkType, packet] of [
    ["a short Ethernet header", 1, cat("short")],
    ["a tag without an end", 1, ethernet(IPV4, cat(""), [0x8100]).slice(0, -3)],
    ["a short SNAP header", 1, snap(UDP4).slice(0, 21)],
    ["a short family", 0, cat([2])],
    ["no IP", 101, cat("")],
    ["a short IPv4 header", 228, UDP4.slice(0, 19)],
    ["IPv4 of another version", 228, UDP6],
    ["IPv6 of another version", 229, cat(UDP4, Array(40).fill(0))],
    ["an IPv4 header below 20 bytes", 228, cat([0x44], UDP4.slice(1))],
    ["an IPv4 length below its header", 228, ipv4(udp("x"), { total: 19 })],
    ["an IPv4 length above the packet", 228, ipv4(udp("x", 30), { total: 50 })],
    ["a short IPv6 header", 229, UDP6.slice(0, 39)],
    [
      "an extension header without an end",
      229,
      ipv6(cat([17, 9, 0, 0, 0, 0, 0, 0]), 0),
    ],
    ["extension headers that are cut off", 229, ipv6(cat([60]), 60)],
    ["a short UDP header", 228, ipv4(cat("short"))],
    ["a UDP length below its header", 228, ipv4(udp("x", 7))],
    ["a UDP length of 0", 228, ipv4(udp("x", 0))],
    ["a UDP length above IP's", 228, ipv4(udp("x", 10))],
    ["a fragment of an odd length", 228, ipv4(udp("x"), { more: true })],
    [
      "a fragment beyond 65,535 bytes",
      228,
      ipv4(udp("12345678"), { offset: 65_528 }),
    ],
    ["an empty fragment", 228, ipv4(cat(""), { more: true })],
  ] as [string, number, Bytes][]
) {
  Deno.test(`a packet is malformed, or cut if it was longer: ${what}`, async () => {
    const { texts, stats, error } = await read(pcap([packet], { linkType }));
    assertEquals([texts, error, stats.malformed], [[], undefined, 1]);
  });
}

Deno.test("a datagram that the file cut is counted, and never returned short", async () => {
  const packet = ethernet(IPV4, ipv4(udp("12345678")));
  for (let length = 0; length < packet.length; length++) {
    const part = packet.slice(0, length);
    const file = pcap([part], { original: packet.length });
    const { texts, stats } = await read(file);
    assertEquals([texts, stats.cut], [[], 1], `${length}`);
  }
});

Deno.test("a packet of which only the trailer is cut has its datagram", async () => {
  const file = pcap([ethernet(IPV4, UDP4)], { original: 60 });
  assertEquals((await read(file)).texts, ["x"]);
});

/** A datagram of that text in fragments of 8 bytes, in order. */
function pieces(text: string, version: 4 | 6, id = 7): Bytes[] {
  const all = udp(text);
  const count = Math.ceil(all.length / 8);
  return Array.from({ length: count }, (_, i) => {
    const offset = i * 8;
    const part = all.slice(offset, offset + 8);
    const how = { offset, more: i < count - 1, id };
    return version === 4 ? ipv4(part, how) : ipv6(fragment6(part, how), 44);
  });
}

for (const version of [4, 6] as const) {
  const linkType = 101;
  const [a, b] = [
    pieces("abcdefghijklmnop", version),
    pieces("ABCDEFGHIJKLMNOPQ", version, 8),
  ];

  Deno.test(`IPv${version} fragments are put together in any order, also of several datagrams`, async () => {
    const mixed = [b[3]!, a[2]!, b[1]!, a[0]!, b[0]!, a[1]!, b[2]!];
    const { texts, stats, datagrams } = await read(pcap(mixed, { linkType }));
    assertEquals(texts, ["abcdefghijklmnop", "ABCDEFGHIJKLMNOPQ"]);
    assertEquals(datagrams.map(({ packet }) => packet), [6, 7]);
    assertEquals([stats.datagrams, stats.joined], [2, 5]);
  });

  Deno.test(`IPv${version} fragments that come twice count once`, async () => {
    const { texts, stats } = await read(
      pcap([a[0]!, a[0]!, a[1]!, a[1]!, a[2]!], { linkType }),
    );
    assertEquals([texts, stats.joined], [["abcdefghijklmnop"], 4]);
  });

  Deno.test(`IPv${version} fragments without the rest are counted, as are those that overlap`, async () => {
    const other = pieces("abcdefghijklmnop!!!!!!!!", version);
    for (
      const [packets, incomplete] of [
        [[a[0]!, a[2]!], 2],
        // Not the same bytes at the same place.
        [[a[1]!, pieces("ABCDEFGHIJKLMNOP", version)[1]!], 2],
        // Another last one, and one beyond the last.
        [[a[2]!, other[3]!], 2],
        [[other[3]!, a[2]!], 2],
      ] as [Bytes[], number][]
    ) {
      const { texts, stats } = await read(pcap(packets, { linkType }));
      assertEquals([texts, stats.incomplete, stats.waiting], [
        [],
        incomplete,
        0,
      ]);
    }
  });

  Deno.test(`IPv${version} fragments are cut with their datagram`, async () => {
    const cut = pcap([a[0]!.slice(0, -1)], { linkType, original: 100 });
    assertEquals((await read(cut)).stats.cut, 1);
  });
}

Deno.test("fragments of a number that came again much later are not mixed with the new ones", async () => {
  const linkType = 101;
  const [first, second, last] = pieces("abcdefghijklmnop", 4) as [
    Bytes,
    Bytes,
    Bytes,
  ];
  const early = pcap([first, last], { linkType, time: [100, 0] });
  const late = pcap([second], { linkType, time: [131, 0] }).slice(24);
  const { texts, stats } = await read([early, late]);
  assertEquals([texts, stats.incomplete], [[], 3]);
});

Deno.test("fragments that wait are bounded, the oldest given up", async () => {
  const halves = Array.from(
    { length: 3000 },
    (_, id) => pieces("abcdefgh", 4, id).slice(0, 1),
  ).flat();
  const rest = pieces("abcdefgh", 4, 2999)[1]!;
  const lost = pieces("abcdefgh", 4, 0)[1]!;
  const capture = pcap([...halves, rest, lost], { linkType: 101 });
  const { texts, stats } = await read(capture);
  assertEquals([texts, stats.joined, stats.incomplete], [
    ["abcdefgh"],
    1,
    3000,
  ]);
});

Deno.test("a fragment of a fragment is malformed", async () => {
  const inner = fragment6(udp("12345678"), { more: true });
  const extended = cat([44, 0, 0, 0, 0, 0, 0, 0], inner);
  const nested = Array.from({ length: 4 }, (_, i) =>
    ipv6(
      fragment6(extended.slice(i * 8, i * 8 + 8), {
        next: 60,
        offset: i * 8,
        more: i < 3,
      }),
      44,
    ));
  const { stats } = await read(pcap(nested, { linkType: 101 }));
  assertEquals([stats.malformed, stats.joined], [1, 3]);
});

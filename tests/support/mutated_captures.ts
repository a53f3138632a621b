/** Files that are captures but for some bytes. */
import {
  Blocks,
  cat,
  ethernet,
  extension,
  fragment6,
  frame,
  ipv4,
  ipv6,
  type Order,
  pcap,
  udp,
} from "./captures.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Small files with all that the reader knows. */
export function seeds(): Bytes[] {
  const [first, second] = [0, 8].map((offset) =>
    udp("12345678").slice(offset, offset + 8)
  ) as [Bytes, Bytes];
  const packets = [
    frame("hello"),
    ethernet(0x86dd, ipv6(extension(17, udp("x")), 0), [0x88a8, 0x8100]),
    ethernet(0x0800, ipv4(first, { more: true })),
    ethernet(0x0800, ipv4(second, { offset: 8 })),
    ethernet(0x86dd, ipv6(fragment6(first, { more: true }), 44)),
    ethernet(0x86dd, ipv6(fragment6(second, { offset: 8 }), 44)),
    ethernet(0x0800, ipv4(udp("options"), { options: [1, 1, 1, 0] })),
    ethernet(0x0806, cat("arp")),
  ];
  const raw = packets.map((packet) => packet.slice(14));
  return (["little", "big"] satisfies Order[]).flatMap((order) => {
    const b = new Blocks(order);
    const options = [b.option(1, cat("comment"))];
    return [
      pcap(packets, { order }),
      pcap(raw, { order, linkType: 101, magic: 0xa1b23c4d }),
      pcap(raw.map((packet) => cat([2, 0, 0, 0], packet)), { linkType: 0 }),
      cat(
        b.section(),
        b.interface(1, {
          options: [b.option(9, [0x8a]), b.option(14, Array(8).fill(1))],
        }),
        b.block(5, Array(20).fill(0)),
        ...packets.map((packet) => b.enhanced(packet, { stamp: 5, options })),
        b.simple(packets[0]!),
        b.obsolete(packets[1]!),
      ),
    ];
  });
}

/** Returns a file with some bytes changed, removed, repeated, or cut off. */
export function mutated(file: Bytes, below: (limit: number) => number): Bytes {
  let bytes = file.slice();
  const interesting = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff];
  for (let n = below(6); n >= 0; n--) {
    const at = below(bytes.length);
    const length = below(40);
    switch (below(6)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at] = interesting[below(interesting.length)]!;
        break;
      case 2:
        bytes.fill(below(2) * 255, at, at + 1 + below(4));
        break;
      case 3:
        bytes = cat(bytes.slice(0, at), bytes.slice(at + length));
        break;
      case 4:
        bytes = cat(
          bytes.slice(0, at),
          bytes.slice(at, at + length),
          bytes.slice(at),
        );
        break;
      default:
        if (below(4) === 0) bytes = bytes.slice(0, at);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

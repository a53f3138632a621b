/** Builds capture files byte by byte, apart from the library's own writer. */
import {
  type Capture,
  type CapturedDatagram,
  type CaptureInput,
  readCapture,
} from "../../lib/capture.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Joins bytes, lists of bytes, and ASCII text. */
export function cat(...parts: (ArrayLike<number> | string)[]): Bytes {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "string"
        ? Array.from(part, (char) => char.charCodeAt(0))
        : Array.from(part)
    ),
  );
}

/** A number in network order. */
export function be(size: number, value: number): number[] {
  return Array.from(
    { length: size },
    (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256,
  );
}

/** Numbers in the order of a file. */
export type Order = "little" | "big";

function num(order: Order, size: number, value: number): number[] {
  const bytes = be(size, value);
  return order === "big" ? bytes : bytes.reverse();
}

/** UDP from port 1000 to port 2000, without a checksum. */
export function udp(data: string, length = 8 + data.length): Bytes {
  return cat(be(2, 1000), be(2, 2000), be(2, length), be(2, 0), data);
}

/** How an IPv4 packet differs from a plain one of UDP. */
export interface Ipv4 {
  protocol?: number;
  options?: number[];
  id?: number;
  /** In bytes. */
  offset?: number;
  more?: boolean;
  /** The length in its header. */
  total?: number;
}

/** IPv4 from 10.0.0.1 to 10.0.0.2. */
export function ipv4(payload: Bytes, how: Ipv4 = {}): Bytes {
  const { protocol = 17, options = [], id = 0, offset = 0, more } = how;
  const header = 20 + options.length;
  const { total = header + payload.length } = how;
  return cat(
    [0x40 + header / 4, 0],
    be(2, total),
    be(2, id),
    be(2, offset / 8 + (more ? 0x2000 : 0)),
    [64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
    options,
    payload,
  );
}

/** IPv6 from fd00::1 to fd00::2. */
export function ipv6(
  payload: Bytes,
  next = 17,
  length = payload.length,
): Bytes {
  const host = (n: number) => [0xfd, ...Array(14).fill(0), n];
  return cat(
    [0x60, 0, 0, 0],
    be(2, length),
    [next, 64],
    host(1),
    host(2),
    payload,
  );
}

/** An extension header of IPv6, of 8 bytes and more. */
export function extension(next: number, payload: Bytes, words = 0): Bytes {
  return cat([next, words], Array(6 + words * 8).fill(0), payload);
}

/** The fragment header of IPv6. */
export function fragment6(
  payload: Bytes,
  { next = 17, offset = 0, more = false, id = 7 } = {},
): Bytes {
  return cat([next, 0], be(2, offset + (more ? 1 : 0)), be(4, id), payload);
}

/** Ethernet; the tags are EtherTypes of VLAN tags. */
export function ethernet(
  type: number,
  payload: Bytes,
  tags: number[] = [],
): Bytes {
  return cat(
    Array(12).fill(0),
    ...tags.map((tag) => cat(be(2, tag), be(2, 5))),
    be(2, type),
    payload,
  );
}

/** A datagram over Ethernet and IPv4. */
export function frame(data: string): Bytes {
  return ethernet(0x0800, ipv4(udp(data)));
}

/** How a pcap file differs from the usual one. */
export interface Pcap {
  order?: Order;
  magic?: number;
  linkType?: number;
  /** The seconds and the fraction of each packet. */
  time?: [number, number];
  /** How many bytes each packet had on the wire. */
  original?: number;
}

/** A pcap file. */
export function pcap(packets: Bytes[], how: Pcap = {}): Bytes {
  const { order = "little", magic = 0xa1b2c3d4, linkType = 1 } = how;
  const [seconds, fraction] = how.time ?? [1, 2];
  const n = (size: number, value: number) => num(order, size, value);
  return cat(
    n(4, magic),
    n(2, 2),
    n(2, 4),
    Array(8).fill(0),
    n(4, 65_535),
    n(4, linkType),
    ...packets.map((packet) =>
      cat(
        n(4, seconds),
        n(4, fraction),
        n(4, packet.length),
        n(4, how.original ?? packet.length),
        packet,
      )
    ),
  );
}

/** The blocks of pcapng, in one byte order. */
export class Blocks {
  readonly order: Order;

  constructor(order: Order = "little") {
    this.order = order;
  }

  n(size: number, value: number): number[] {
    return num(this.order, size, value);
  }

  block(type: number, ...parts: ArrayLike<number>[]): Bytes {
    const body = this.pad(cat(...parts));
    const length = this.n(4, body.length + 12);
    return cat(this.n(4, type), length, body, length);
  }

  pad(bytes: Bytes): Bytes {
    return cat(bytes, Array((4 - bytes.length % 4) % 4).fill(0));
  }

  option(code: number, value: ArrayLike<number>): Bytes {
    return cat(this.n(2, code), this.n(2, value.length), this.pad(cat(value)));
  }

  section(): Bytes {
    const length = Array(8).fill(0xff);
    return this.block(
      0x0a0d0d0a,
      this.n(4, 0x1a2b3c4d),
      this.n(2, 1),
      [0, 0],
      length,
    );
  }

  interface(
    linkType = 1,
    { snap = 0, options = [] as ArrayLike<number>[] } = {},
  ): Bytes {
    return this.block(
      1,
      this.n(2, linkType),
      [0, 0],
      this.n(4, snap),
      ...options,
    );
  }

  enhanced(
    packet: Bytes,
    {
      on = 0,
      stamp = 0,
      original = packet.length,
      options = [] as ArrayLike<number>[],
    } = {},
  ): Bytes {
    return this.block(
      6,
      this.n(4, on),
      this.n(4, Math.floor(stamp / 2 ** 32)),
      this.n(4, stamp % 2 ** 32),
      this.n(4, packet.length),
      this.n(4, original),
      this.pad(packet),
      ...options,
    );
  }

  simple(packet: Bytes, original = packet.length): Bytes {
    return this.block(3, this.n(4, original), packet);
  }

  obsolete(packet: Bytes, { on = 0, stamp = 0 } = {}): Bytes {
    const { length } = packet;
    return this.block(
      2,
      this.n(2, on),
      [0, 0],
      this.n(4, 0),
      this.n(4, stamp),
      this.n(4, length),
      this.n(4, length),
      packet,
    );
  }
}

/** What was read. */
export interface Read {
  datagrams: CapturedDatagram[];
  texts: string[];
  stats: Capture["stats"];
  error: unknown;
}

/** Reads a capture to its end, or to its error. */
export async function read(input: CaptureInput): Promise<Read> {
  const capture = readCapture(input);
  const datagrams: CapturedDatagram[] = [];
  let error: unknown;
  try {
    for await (const datagram of capture) datagrams.push(datagram);
  } catch (thrown) {
    error = thrown;
  }
  const decoder = new TextDecoder();
  const texts = datagrams.map(({ data }) => decoder.decode(data));
  return { datagrams, texts, stats: capture.stats, error };
}

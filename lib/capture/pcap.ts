import type { ByteReader } from "./byte_reader.ts";
import {
  Broken,
  endsInside,
  MAX_PACKET,
  type Packet,
  type Packets,
  viewOf,
} from "./packet.ts";

const HEADER = 24;
const RECORD = 16;
const NO_COMMENTS: readonly string[] = [];

/** How a file counts: its byte order, and the nanoseconds of a unit of time. */
interface Format {
  readonly isLittle: boolean;
  readonly unit: bigint;
}

/** By the magic number, read as little-endian. */
const FORMATS: ReadonlyMap<number, Format> = new Map([
  [0xa1b2c3d4, { isLittle: true, unit: 1000n }],
  [0xd4c3b2a1, { isLittle: false, unit: 1000n }],
  [0xa1b23c4d, { isLittle: true, unit: 1n }],
  [0x4d3cb2a1, { isLittle: false, unit: 1n }],
]);

/** Whether a file that begins so, read as little-endian, is pcap. */
export function isPcap(magic: number): boolean {
  return FORMATS.has(magic);
}

/** Reads pcap: one interface, and microseconds or nanoseconds. */
export class PcapPackets implements Packets {
  count = 0;
  readonly #reader: ByteReader;
  #format: Format | undefined;
  #linkType = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async next(): Promise<Packet | undefined> {
    const { isLittle, unit } = this.#format ??= await this.#readHeader();
    const reader = this.#reader;
    const at = reader.offset;
    if (!await reader.fill(RECORD)) {
      if (reader.available === 0) return undefined;
      throw endsInside("its header", at);
    }
    const view = viewOf(reader.take(RECORD));
    const seconds = BigInt(view.getUint32(0, isLittle));
    const fraction = BigInt(view.getUint32(4, isLittle));
    const length = view.getUint32(8, isLittle);
    const original = view.getUint32(12, isLittle);
    if (length > MAX_PACKET) {
      throw new Broken(
        `it claims ${length} bytes, and must have at most ${MAX_PACKET}`,
        at,
      );
    }
    if (!await reader.fill(length)) throw endsInside("it", at);
    return {
      number: ++this.count,
      time: seconds * 1_000_000_000n + fraction * unit,
      linkType: this.#linkType,
      interface: 0,
      data: reader.take(length),
      isCut: original > length,
      comments: NO_COMMENTS,
    };
  }

  async #readHeader(): Promise<Format> {
    if (!await this.#reader.fill(HEADER)) {
      throw endsInside("the file's header", 0);
    }
    const view = viewOf(this.#reader.take(HEADER));
    const format = FORMATS.get(view.getUint32(0, true))!;
    const [major, minor] = [4, 6].map((at) =>
      view.getUint16(at, format.isLittle)
    );
    if (major !== 2 || minor !== 4) {
      throw new Broken(
        `it is pcap of version ${major}.${minor}, and only 2.4 can be read`,
        0,
      );
    }
    // The upper half has other fields, such as the length of a checksum.
    this.#linkType = view.getUint32(20, format.isLittle) & 0xffff;
    return format;
  }
}

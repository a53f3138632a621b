import type { ByteReader } from "./byte_reader.ts";
import {
  Broken,
  endsInside,
  MAX_PACKET,
  type Packet,
  type Packets,
  viewOf,
} from "./packet.ts";
import {
  COMMENT,
  optionsIn,
  padded,
  TSOFFSET,
  TSRESOL,
} from "./pcapng_options.ts";
import { type ToNanoseconds, toNanoseconds } from "./resolution.ts";

/** The type of the block that begins a section: the same in both byte orders. */
export const SECTION = 0x0a0d0d0a;
/** The type of the block that describes an interface. */
export const INTERFACE = 1;
/** The type of the usual block with a packet. */
export const ENHANCED_PACKET = 6;
/** What follows the length of a section's first block, in its byte order. */
export const ORDER = 0x1a2b3c4d;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;

/** How long the fixed part of a block is. Blocks of other types are skipped. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [SECTION, 16],
  [INTERFACE, 8],
  [OBSOLETE_PACKET, 20],
  [SIMPLE_PACKET, 4],
  [ENHANCED_PACKET, 20],
]);

// Around the body: type and length, and the length again.
const FRAME = 12;
// The limit of libpcap.
const MAX_BLOCK = 16 * 1024 * 1024;
const MAX_INTERFACES = 65_536;

const decoder = new TextDecoder();

/** An interface of a section. */
interface Interface {
  readonly linkType: number;
  /** The most bytes of a packet in the file; 0 for any number. */
  readonly snapLength: number;
  readonly toNanoseconds: ToNanoseconds;
}

/** Where a packet is in the body of its block, and what the block says of it. */
interface Place {
  /** The number of its interface. */
  readonly index: number;
  readonly start: number;
  readonly length: number;
  readonly original: number;
  readonly stamp?: bigint;
}

/** Reads pcapng. Blocks that are not about packets are skipped. */
export class PcapngPackets implements Packets {
  count = 0;
  readonly #reader: ByteReader;
  #isLittle = true;
  #interfaces: Interface[] = [];

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async next(): Promise<Packet | undefined> {
    const reader = this.#reader;
    for (;;) {
      const at = reader.offset;
      if (!await reader.fill(FRAME)) {
        if (reader.available === 0) return undefined;
        throw endsInside("a block", at);
      }
      const { type, length } = this.#readStart(at);
      const fixed = FIXED.get(type);
      if (fixed === undefined) {
        await this.#skip(length, at);
        continue;
      }
      if (length > MAX_BLOCK || length < FRAME + fixed) {
        throw new Broken(
          `a block claims ${length} bytes, and must have ${
            FRAME + fixed
          } to ${MAX_BLOCK}`,
          at,
        );
      }
      if (!await reader.fill(length)) throw endsInside("a block", at);
      const block = reader.take(length);
      this.#checkEnd(block.subarray(-4), length, at);
      const packet = this.#open(type, block.subarray(8, -4), at);
      if (packet !== undefined) return packet;
    }
  }

  /** Reads type and length of a block, and the byte order of a section. */
  #readStart(at: number): { type: number; length: number } {
    const view = viewOf(this.#reader.peek(FRAME));
    const type = view.getUint32(0, this.#isLittle);
    if (type === SECTION) {
      this.#isLittle = view.getUint32(8, true) === ORDER;
      if (!this.#isLittle && view.getUint32(8, false) !== ORDER) {
        throw new Broken("a section has no byte order", at);
      }
    }
    const length = view.getUint32(4, this.#isLittle);
    if (length >= FRAME && length % 4 === 0) return { type, length };
    throw new Broken(
      `a block claims ${length} bytes, and must have a multiple of 4 from ${FRAME}`,
      at,
    );
  }

  async #skip(length: number, at: number): Promise<void> {
    const reader = this.#reader;
    if (!await reader.skip(length - 4) || !await reader.fill(4)) {
      throw endsInside("a block", at);
    }
    this.#checkEnd(reader.take(4), length, at);
  }

  #checkEnd(bytes: Uint8Array, length: number, at: number): void {
    const end = viewOf(bytes).getUint32(0, this.#isLittle);
    if (end === length) return;
    throw new Broken(
      `a block claims ${length} bytes at its start and ${end} at its end`,
      at,
    );
  }

  #open(type: number, body: Uint8Array, at: number): Packet | undefined {
    const view = viewOf(body);
    const u16 = (offset: number) => view.getUint16(offset, this.#isLittle);
    const u32 = (offset: number) => view.getUint32(offset, this.#isLittle);
    if (type === SECTION) {
      this.#interfaces = [];
      if (u16(4) === 1) return undefined;
      throw new Broken(
        `it is pcapng of version ${u16(4)}.${u16(6)}, and only 1 can be read`,
        at,
      );
    }
    if (type === INTERFACE) return this.#addInterface(body, at);
    if (type === SIMPLE_PACKET) {
      const original = u32(0);
      const most = this.#interfaces[0]?.snapLength || Infinity;
      const length = Math.min(original, most, body.length - 4);
      return this.#packet(body, { index: 0, start: 4, length, original }, at);
    }
    return this.#packet(body, {
      index: type === OBSOLETE_PACKET ? u16(0) : u32(0),
      start: 20,
      length: u32(12),
      original: u32(16),
      stamp: BigInt(u32(4)) << 32n | BigInt(u32(8)),
    }, at);
  }

  #addInterface(body: Uint8Array, at: number): undefined {
    if (this.#interfaces.length === MAX_INTERFACES) {
      throw new Broken(
        `a section has more than ${MAX_INTERFACES} interfaces`,
        at,
      );
    }
    const view = viewOf(body);
    let resolution: number | undefined;
    let offset: bigint | undefined;
    for (const { code, value } of optionsIn(body, 8, this.#isLittle, at)) {
      if (code === TSRESOL && value.length === 1) resolution = value[0];
      if (code === TSOFFSET && value.length === 8) {
        offset = viewOf(value).getBigInt64(0, this.#isLittle);
      }
    }
    this.#interfaces.push({
      linkType: view.getUint16(0, this.#isLittle),
      snapLength: view.getUint32(4, this.#isLittle),
      toNanoseconds: toNanoseconds(resolution, offset),
    });
  }

  #packet(
    body: Uint8Array,
    { index, start, length, original, stamp }: Place,
    at: number,
  ): Packet {
    const known = this.#interfaces[index];
    if (known === undefined) {
      throw new Broken(`its interface ${index} is not described`, at);
    }
    const room = Math.min(MAX_PACKET, body.length - start);
    if (length > room) {
      throw new Broken(
        `it claims ${length} bytes, and can have at most ${room}`,
        at,
      );
    }
    const isSimple = stamp === undefined;
    const options = isSimple
      ? []
      : optionsIn(body, start + padded(length), this.#isLittle, at);
    return {
      number: ++this.count,
      time: isSimple ? undefined : known.toNanoseconds(stamp),
      linkType: known.linkType,
      interface: index,
      data: body.subarray(start, start + length),
      isCut: original > length,
      comments: options.filter(({ code }) => code === COMMENT)
        .map(({ value }) => decoder.decode(value)),
    };
  }
}

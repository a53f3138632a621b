/** A packet of a capture file, before anything in it is decoded. */
export interface Packet {
  /** Counts up from 1 in the order of the file. */
  readonly number: number;
  /** Nanoseconds since 1970; `undefined` if the file has no time for it. */
  readonly time: bigint | undefined;
  /** How it begins: a `LINKTYPE_` value. */
  readonly linkType: number;
  /** Which interface of its section it passed, from 0. */
  readonly interface: number;
  /** The bytes in the file, valid until the next packet is asked for. */
  readonly data: Uint8Array;
  /** Whether it was longer than `data` on the wire. */
  readonly isCut: boolean;
  /** The comments on it. */
  readonly comments: readonly string[];
}

/** The packets of a file. */
export interface Packets {
  /** How many were returned so far. */
  readonly count: number;
  /**
   * Returns the next packet, or `undefined` at the end.
   *
   * @throws {Broken} The file is broken there.
   */
  next(): Promise<Packet | undefined>;
}

/** The longest packet that is accepted, in bytes: the limit of libpcap. */
export const MAX_PACKET: number = 256 * 1024;

/** What is wrong in a file, and where its broken part begins. */
export class Broken extends Error {
  /** The byte of the file. */
  readonly offset: number;

  /** @param what As the end of a sentence. */
  constructor(what: string, offset: number) {
    super(what);
    this.offset = offset;
  }
}

/** Returns the error for a packet or a block that the file does not hold whole. */
export function endsInside(what: string, offset: number): Broken {
  return new Broken(`the file ends in the middle of ${what}`, offset);
}

/** Returns a view of bytes, wherever they are in their buffer. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import type { NetAddr } from "../addr.ts";

/** A datagram in a packet. Its data is a part of the packet. */
export interface Found {
  readonly from: NetAddr;
  readonly to: NetAddr;
  readonly data: Uint8Array;
}

/** Why there is no datagram in a packet: the name of the count for it. */
export type Reason = "cut" | "malformed";

/** What a packet is that is not UDP. */
export interface Other {
  /** Such as `tcp`. */
  readonly kind: string;
}

/** A piece of a datagram that was sent in several. */
export interface Fragment {
  /** Whatever tells it from those of other datagrams. */
  readonly key: string;
  /** Where it begins in the whole. */
  readonly offset: number;
  readonly isLast: boolean;
  readonly data: Uint8Array;
  /** Decodes the whole. */
  readonly decode: (whole: Uint8Array) => Outcome;
}

/** What a packet turned out to be. */
export type Outcome = Found | Fragment | Other | Reason;

/** A part of a packet that is decoded next. */
export interface Part {
  /** What the file holds of the packet. */
  readonly bytes: Uint8Array;
  /** Where the part begins. */
  readonly start: number;
  /** Whether the packet was longer on the wire. */
  readonly isCut: boolean;
}

/** Returns why bytes are not there that a packet should have. */
export function missing({ isCut }: Part): Reason {
  return isCut ? "cut" : "malformed";
}

/** Reads a number of 2 bytes in network order. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

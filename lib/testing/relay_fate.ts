import type { NetAddr } from "../addr.ts";

/** What a relay did with a datagram, or with one copy of it. */
export interface RelayFate {
  /** From a client to the server, or from the server to a client. */
  readonly direction: "up" | "down";
  /** The sender: a client, or the server. */
  readonly from: NetAddr;
  /** The receiver: the server, or a client. */
  readonly to: NetAddr;
  /** Its bytes, as they were sent or would have been. They are valid in the call. */
  readonly data: Uint8Array;
  /** What became of it, by the names of the relay's counts. */
  readonly fate:
    | "forwarded"
    | "lost"
    | "dropped"
    | "overMtu"
    | "queueFull"
    | "notSent";
  /** How long the relay had it, in milliseconds. */
  readonly heldMs: number;
  /** Whether it is a copy that the relay made. */
  readonly duplicate: boolean;
  /** Whether `corrupt` flipped a bit of it. */
  readonly corrupted: boolean;
  /** Whether `reorder` held it back. */
  readonly reordered: boolean;
  /** Whether a rule decided about it. */
  readonly ruled: boolean;
}

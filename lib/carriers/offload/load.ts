import type { Addr, NetAddr } from "../../addr.ts";
import type { SentBatch } from "../../carrier.ts";

/** What is sent at once: a batch of messages, or a run. */
export interface Load {
  /** The peer of the first datagram. */
  readonly to: Addr;
  /** How many datagrams it holds. */
  readonly count: number;
  /** Sends what one call takes, from that datagram on; as in `Sender`. */
  readonly send: (start: number) => SentBatch | undefined;
  /** Sends, to an address, all that the name of the first peer stands for. */
  readonly sendTo: (to: NetAddr) => SentBatch | Promise<SentBatch>;
}

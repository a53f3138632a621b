import { formatAddress } from "../address/address.ts";
import type { Clock } from "../clock.ts";
import type { Passage } from "./link.ts";
import type { NetworkStats, TraceEntry } from "./network_types.ts";
import type { Path } from "./paths.ts";
import { Room } from "./room.ts";

const MAX_TRACE = 100_000;
const MAX_TRACE_BYTES = 64 * 1024 * 1024;

/** What a rule or a link did to a datagram, besides its fate. */
export interface Marks extends Pick<Passage, "flippedBit" | "reordered"> {
  /** Whether a rule decided about it. */
  ruled: boolean;
}

/** Counts what happens on a simulated network, and lists it. */
export class Ledger {
  readonly stats: NetworkStats = {
    sent: 0,
    duplicated: 0,
    delivered: 0,
    lost: 0,
    dropped: 0,
    overMtu: 0,
    queueFull: 0,
    unreachable: 0,
    crashed: 0,
    inFlight: 0,
    corrupted: 0,
    reordered: 0,
    ruled: 0,
  };
  readonly trace: TraceEntry[] = [];
  readonly #clock: Clock;
  readonly #room = new Room(MAX_TRACE_BYTES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records the fate of a datagram, or of one copy of it. */
  record(
    { from, to }: Path,
    data: Uint8Array,
    fate: TraceEntry["fate"],
    { flippedBit, reordered = false, ruled }: Marks,
  ): void {
    const corrupted = flippedBit !== undefined;
    this.stats[fate === "partitioned" ? "lost" : fate]++;
    if (fate === "delivered") {
      if (corrupted) this.stats.corrupted++;
      if (reordered) this.stats.reordered++;
      if (ruled) this.stats.ruled++;
    }
    if (this.trace.length === MAX_TRACE || !this.#room.take(data.length)) {
      return;
    }
    this.trace.push({
      time: this.#clock.now(),
      from: formatAddress(from),
      to: formatAddress(to),
      data,
      corrupted,
      reordered,
      ruled,
      fate,
    });
  }
}

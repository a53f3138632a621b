import { formatAddress } from "../address/address.ts";
import type { Clock } from "../clock.ts";
import type { Passage } from "./link.ts";
import type { NetworkStats, TraceEntry } from "./network_types.ts";
import type { Path } from "./paths.ts";
import { Room } from "./room.ts";

const MAX_TRACE = 100_000;
const MAX_TRACE_BYTES = 64 * 1024 * 1024;
const MAX_NOTES = 10_000;

/** What happened to a datagram, besides its fate. */
export interface Marks extends Pick<Passage, "flippedBit" | "reordered"> {
  /** Whether a rule decided about it. */
  readonly ruled: boolean;
  /** Whether it is the second one of two copies. */
  readonly copy: boolean;
  /** When it was sent. */
  readonly sent: number;
}

/** A datagram, or one copy of it, and the order of what happened to it. */
export interface Event {
  readonly entry: Omit<TraceEntry, "fate"> & {
    fate: TraceEntry["fate"] | "inFlight";
  };
  readonly sentOrder: number;
  order: number;
}

/** Something that happened to a host, or to the network. */
export interface Note {
  readonly time: number;
  readonly order: number;
  readonly text: string;
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
  readonly notes: Note[] = [];
  readonly #clock: Clock;
  readonly #room = new Room(MAX_TRACE_BYTES);
  // Of each entry of the trace.
  readonly #orders: [number, number][] = [];
  readonly #inFlight = new Set<Event>();
  #order = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** All that the trace has, and what is in flight. */
  get events(): Event[] {
    const traced = this.trace.map((entry, index) => {
      const [sentOrder, order] = this.#orders[index]!;
      return { entry, sentOrder, order };
    });
    return [...traced, ...this.#inFlight];
  }

  /** Takes a datagram, or one copy of it, that was sent. */
  depart(path: Path, data: Uint8Array, marks: Marks): Event {
    const { flippedBit, reordered = false, ruled, copy, sent } = marks;
    const order = this.#order++;
    const event: Event = {
      entry: {
        time: this.#clock.now(),
        sent,
        from: formatAddress(path.from),
        to: formatAddress(path.to),
        n: path.sent,
        data,
        copy,
        corrupted: flippedBit !== undefined,
        reordered,
        ruled,
        fate: "inFlight",
      },
      sentOrder: order,
      order,
    };
    this.stats.inFlight++;
    this.#inFlight.add(event);
    return event;
  }

  /** Records its fate. */
  arrive(event: Event, fate: TraceEntry["fate"]): void {
    const { entry, sentOrder } = event;
    const { corrupted, reordered, ruled, data } = entry;
    this.#inFlight.delete(event);
    this.stats.inFlight--;
    this.stats[fate === "partitioned" ? "lost" : fate]++;
    if (fate === "delivered") {
      if (corrupted) this.stats.corrupted++;
      if (reordered) this.stats.reordered++;
      if (ruled) this.stats.ruled++;
    }
    if (this.trace.length === MAX_TRACE || !this.#room.take(data.length)) {
      return;
    }
    entry.time = this.#clock.now();
    entry.fate = fate;
    this.trace.push(entry as TraceEntry);
    this.#orders.push([sentOrder, this.#order++]);
  }

  /** Notes what else happened. */
  note(text: string): void {
    if (this.notes.length === MAX_NOTES) return;
    this.notes.push({ time: this.#clock.now(), order: this.#order++, text });
  }
}

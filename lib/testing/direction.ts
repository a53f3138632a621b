import { systemClock } from "../clock.ts";
import { SocketClosedError } from "../errors.ts";
import { DelayLine } from "./delay_line.ts";
import { type Faults, flipBit, type Link } from "./faults.ts";
import { OVERHEAD_BYTES, type Room } from "./room.ts";

/**
 * Datagrams of one direction by fate: received + duplicated = forwarded + lost +
 * overMtu + queueFull + notSent + inFlight.
 */
export interface DirectionStats {
  /** Datagrams that the relay received. */
  received: number;
  /** Copies that the relay made. */
  duplicated: number;
  /** Datagrams that the relay sent on. */
  forwarded: number;
  /** Dropped by `loss`. */
  lost: number;
  /** Dropped because they were longer than `mtu`. */
  overMtu: number;
  /** Dropped because too many waited. */
  queueFull: number;
  /** The system did not send them, or their session ended before their time. */
  notSent: number;
  /** Still held, or being sent. */
  inFlight: number;
  /** Of `forwarded`: with a bit that `corrupt` flipped. */
  corrupted: number;
  /** Of `forwarded`: held back by `reorder`. */
  reordered: number;
}

/** Returns counts that are all zero. */
export function noCounts(): DirectionStats {
  return {
    received: 0,
    duplicated: 0,
    forwarded: 0,
    lost: 0,
    overMtu: 0,
    queueFull: 0,
    notSent: 0,
    inFlight: 0,
    corrupted: 0,
    reordered: 0,
  };
}

/** What a {@linkcode SessionDirection} shares with others, and where it sends. */
export interface SessionDirectionOptions<Route> {
  link: Link;
  counts: DirectionStats;
  room: Room;
  send: (data: Uint8Array, route: Route) => Promise<void>;
  report: (error: unknown) => void;
}

/** A datagram, where it is sent to, and what the link did to it. */
interface Passing<Route> {
  readonly data: Uint8Array;
  readonly route: Route;
  readonly corrupted: boolean;
  readonly reordered: boolean;
}

/** One direction of a session: carries out what its link decides. */
export class SessionDirection<Route> {
  readonly #options: SessionDirectionOptions<Route>;
  readonly #held: DelayLine<Passing<Route>>;
  #sending: Promise<void> = Promise.resolve();
  #lastUsed = performance.now();

  constructor(options: SessionDirectionOptions<Route>) {
    this.#options = options;
    this.#held = new DelayLine(systemClock, (passing) => {
      this.#release(passing);
      this.#forward(passing);
    });
  }

  /** When a datagram last passed; the present while one is held. */
  get lastUsed(): number {
    return this.#held.length > 0 ? performance.now() : this.#lastUsed;
  }

  set(faults: Faults): void {
    this.#options.link.set(faults);
  }

  /** Takes a datagram. Resolves when the next one may follow. */
  pass(data: Uint8Array, route: Route): Promise<void> {
    const { link, counts } = this.#options;
    const now = this.#lastUsed = performance.now();
    const passages = link.cross(data.length, now);
    counts.received++;
    counts.duplicated += passages.length - 1;
    for (const { fate, at, flippedBit, reordered = false } of passages) {
      if (fate !== "passed") {
        counts[fate]++;
        continue;
      }
      const corrupted = flippedBit !== undefined;
      const copy = corrupted ? flipBit(data, flippedBit) : data;
      const passing = { data: copy, route, corrupted, reordered };
      // Datagrams that are due leave first; this one does not wait for later ones.
      if (at <= now && now < this.#held.due) this.#forward(passing);
      else this.#hold(passing, at);
    }
    return this.#sending;
  }

  /** Drops the datagrams that it holds. Resolves when it sends no more. */
  async close(): Promise<void> {
    for (const passing of this.#held.clear()) {
      this.#release(passing);
      this.#options.counts.notSent++;
    }
    await this.#sending;
  }

  #hold(passing: Passing<Route>, at: number): void {
    const { counts, room } = this.#options;
    if (!room.take(passing.data.length + OVERHEAD_BYTES)) {
      counts.queueFull++;
      return;
    }
    counts.inFlight++;
    // Received data is part of a larger chunk, which it would keep alive.
    this.#held.hold({ ...passing, data: passing.data.slice() }, at);
  }

  #release({ data }: Passing<Route>): void {
    this.#options.room.free(data.length + OVERHEAD_BYTES);
    this.#options.counts.inFlight--;
    this.#lastUsed = performance.now();
  }

  #forward(passing: Passing<Route>): void {
    this.#options.counts.inFlight++;
    this.#sending = this.#send(passing);
  }

  async #send(
    { data, route, corrupted, reordered }: Passing<Route>,
  ): Promise<void> {
    const { counts, send, report } = this.#options;
    try {
      await send(data, route);
      counts.forwarded++;
      if (corrupted) counts.corrupted++;
      if (reordered) counts.reordered++;
    } catch (error) {
      counts.notSent++;
      if (!(error instanceof SocketClosedError)) report(error);
    }
    counts.inFlight--;
  }
}

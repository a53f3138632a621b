import { type OperationFields, SocketClosedError } from "../errors.ts";
import { performance } from "../platform.ts";
import type { ReceivedRun } from "../run.ts";
import { DelayLine } from "./delay_line.ts";
import type { CheckedFaults } from "./faults.ts";
import type { DirectionStats } from "./direction_stats.ts";
import { flipBit, type Link, type Passage } from "./link.ts";
import { preciseClock } from "./precise_clock.ts";
import type { RelayFate } from "./relay_fate.ts";
import { OVERHEAD_BYTES, type Room } from "./room.ts";
import type { Decision } from "./rules.ts";

/** Sends datagrams of that size, all but the last. */
export type SendRun<Route> = (
  data: Uint8Array,
  route: Route,
  size: number,
) => Promise<unknown>;

/** What a {@linkcode SessionDirection} shares with others, and where it sends. */
export interface SessionDirectionOptions<Route> {
  link: Link;
  counts: DirectionStats;
  room: Room;
  send: SendRun<Route>;
  report: (error: unknown) => void;
  /** Called with what became of a datagram; it may throw. */
  observe?: Observe<Route> | undefined;
  /** Asks the rules about a datagram; `undefined` while there are none. */
  ask?: () => Ask<Route> | undefined;
}

/** Is told what became of a datagram. */
export type Observe<Route> = (
  fate: Omit<RelayFate, "direction" | "from" | "to">,
  route: Route,
) => void;

/** Returns what a rule decides about a datagram. */
export type Ask<Route> = (
  data: Uint8Array,
  route: Route,
) => Decision | undefined;

/** Datagrams in one piece, where they go to, and what the link did to one. */
interface Passing<Route> {
  readonly data: Uint8Array;
  /** The length of each; the last one may be shorter. */
  readonly size: number;
  readonly count: number;
  readonly route: Route;
  /** When they came. */
  readonly since: number;
  readonly duplicate?: boolean;
  readonly corrupted?: boolean;
  readonly reordered?: boolean;
  readonly ruled?: boolean | undefined;
}

/** The datagrams of a run. */
type PassingRun = Pick<ReceivedRun, "data" | "segmentSize" | "count">;

/** One direction of a session: carries out what its link decides. */
export class SessionDirection<Route> {
  readonly #options: SessionDirectionOptions<Route>;
  readonly #held: DelayLine<Passing<Route>>;
  #sending: Promise<void> = Promise.resolve();
  #lastUsed = performance.now();

  constructor(options: SessionDirectionOptions<Route>) {
    this.#options = options;
    this.#held = new DelayLine(preciseClock, (passing) => {
      this.#release(passing);
      this.#forward(passing);
    });
  }

  /** When a datagram last passed; the present while one is held. */
  get lastUsed(): number {
    return this.#held.length > 0 ? performance.now() : this.#lastUsed;
  }

  /** Uses other faults from now on. */
  use(faults: CheckedFaults): void {
    this.#options.link.use(faults);
  }

  /** Takes datagrams. Resolves when the next ones may follow. */
  pass(
    { data, segmentSize: size, count }: PassingRun,
    route: Route,
  ): Promise<void> {
    const { link, counts } = this.#options;
    const now = this.#lastUsed = performance.now();
    // Where those begin that pass in one piece.
    let first = 0;
    const forward = (end: number) => {
      if (end === first) return;
      const piece = data.subarray(first * size, end * size);
      this.#sending = this.#send({
        data: piece,
        size,
        count: end - first,
        route,
        since: now,
      });
    };
    for (let n = 0; n < count; n++) {
      const length = Math.min(size, data.length - n * size);
      // The counts add up whenever a rule is asked.
      const decision = this.#ask(data, n * size, length, route);
      counts.received++;
      const bytes = decision?.data;
      const passages = link.cross(bytes?.length ?? length, now, decision);
      if (
        decision === undefined && passages.length === 1 &&
        this.#isUntouched(passages[0], now)
      ) {
        counts.inFlight++;
        continue;
      }
      forward(n);
      first = n + 1;
      const datagram = bytes ?? data.subarray(n * size, n * size + length);
      const ruled = decision !== undefined;
      passages.forEach((passage, copy) => {
        const duplicate = copy > 0;
        if (duplicate) counts.duplicated++;
        this.#cross({ data: datagram, ruled, route, duplicate }, passage, now);
      });
    }
    forward(count);
    return this.#sending;
  }

  /** Drops the datagrams that it holds. Resolves when it sends no more. */
  async close(): Promise<void> {
    for (const passing of this.#held.clear()) {
      this.#release(passing);
      this.#options.counts.notSent++;
      this.#observe(passing, "notSent");
    }
    await this.#sending;
  }

  /** Asks the rules. One that fails is reported, and has decided nothing. */
  #ask(
    data: Uint8Array,
    start: number,
    length: number,
    route: Route,
  ): Decision | undefined {
    const { ask, report } = this.#options;
    const rules = ask?.();
    if (rules === undefined) return undefined;
    try {
      return rules(data.subarray(start, start + length), route);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** Whether a datagram passes at once, as it is. */
  #isUntouched({ fate, at, flippedBit }: Passage, now: number): boolean {
    // Datagrams that are due leave first; this one does not wait for later ones.
    return fate === "passed" && flippedBit === undefined && at <= now &&
      now < this.#held.due;
  }

  /** Does with a copy of a datagram what the link decided. */
  #cross(
    { data, ...marks }: Pick<
      Passing<Route>,
      "data" | "ruled" | "route" | "duplicate"
    >,
    { fate, at, flippedBit, reordered = false }: Passage,
    now: number,
  ): void {
    const corrupted = flippedBit !== undefined;
    const copy = corrupted ? flipBit(data, flippedBit) : data;
    const one = { data: copy, size: copy.length, count: 1, since: now };
    const passing = { ...one, ...marks, corrupted, reordered };
    if (fate !== "passed") {
      this.#options.counts[fate]++;
      return this.#observe(passing, fate);
    }
    if (at <= now && now < this.#held.due) this.#forward(passing);
    else this.#hold(passing, at);
  }

  #hold(passing: Passing<Route>, at: number): void {
    const { counts, room } = this.#options;
    if (!room.take(passing.data.length + OVERHEAD_BYTES)) {
      counts.queueFull++;
      return this.#observe(passing, "queueFull");
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
    this.#options.counts.inFlight += passing.count;
    this.#sending = this.#send(passing);
  }

  /** Tells the observer of some of the datagrams. It must not harm anything. */
  #observe(
    { data, size, route, since, ...marks }: Passing<Route>,
    fate: RelayFate["fate"],
    from = 0,
    to = 1,
  ): void {
    const { observe, report } = this.#options;
    if (observe === undefined) return;
    const { duplicate = false, corrupted = false, reordered = false } = marks;
    const { ruled = false } = marks;
    const heldMs = performance.now() - since;
    const own = { fate, heldMs, duplicate, corrupted, reordered, ruled };
    for (let n = from; n < to; n++) {
      try {
        observe(
          { data: data.subarray(n * size, (n + 1) * size), ...own },
          route,
        );
      } catch (error) {
        report(error);
      }
    }
  }

  /** Sends datagrams; one that cannot be sent does not stop the others. */
  async #send(passing: Passing<Route>): Promise<void> {
    const { size, count, route, corrupted, reordered, ruled } = passing;
    const { counts, send, report } = this.#options;
    for (let settled = 0; settled < count;) {
      let sent = count - settled;
      let failed = 0;
      try {
        await send(passing.data.subarray(settled * size), route, size);
      } catch (error) {
        const isClosed = error instanceof SocketClosedError;
        sent = (error as OperationFields | undefined)?.sent ?? 0;
        failed = isClosed ? count - settled - sent : 1;
        if (!isClosed) report(error);
      }
      const first = settled;
      settled += sent + failed;
      counts.forwarded += sent;
      counts.notSent += failed;
      if (corrupted) counts.corrupted += sent;
      if (reordered) counts.reordered += sent;
      if (ruled) counts.ruled += sent;
      counts.inFlight -= sent + failed;
      this.#observe(passing, "forwarded", first, first + sent);
      this.#observe(passing, "notSent", first + sent, settled);
    }
  }
}

import { systemClock } from "../clock.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { SocketClosedError } from "../errors.ts";
import { DelayLine } from "./delay_line.ts";
import { type Faults, flipBit, type Link } from "./faults.ts";
import { OVERHEAD_BYTES, type Room } from "./room.ts";
import { pump } from "../socket/pump.ts";

/**
 * Datagrams of one direction by fate: received + duplicated = the sum of the
 * others.
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
  };
}

/** One client of a relay, with an upstream port of its own. */
export class Session {
  readonly up: SessionDirection;
  readonly down: SessionDirection;
  readonly #upstream: ConnectedSocket;
  readonly #running: Promise<void>;

  constructor(
    upstream: ConnectedSocket,
    up: SessionDirection,
    down: SessionDirection,
    report: (error: unknown) => void,
  ) {
    this.up = up;
    this.down = down;
    this.#upstream = upstream;
    this.#running = pump(
      upstream[Symbol.asyncIterator](),
      upstream.clock,
      ({ data }) => down.pass(data),
      report,
    );
  }

  /** When a datagram last passed; the present while one is held. */
  get lastUsed(): number {
    return Math.max(this.up.lastUsed, this.down.lastUsed);
  }

  /** Ends the session. Datagrams that are held are not sent. */
  async close(): Promise<void> {
    await Promise.all([this.up.close(), this.down.close()]);
    await this.#upstream[Symbol.asyncDispose]();
    await this.#running;
  }
}

/** What a {@linkcode SessionDirection} shares with others, and where it sends. */
export interface SessionDirectionOptions {
  link: Link;
  counts: DirectionStats;
  room: Room;
  send: (data: Uint8Array) => Promise<void>;
  report: (error: unknown) => void;
}

/** One direction of a session: carries out what its link decides. */
export class SessionDirection {
  readonly #options: SessionDirectionOptions;
  readonly #held: DelayLine<Uint8Array>;
  #sending: Promise<void> = Promise.resolve();
  #lastUsed = performance.now();

  constructor(options: SessionDirectionOptions) {
    this.#options = options;
    this.#held = new DelayLine(systemClock, (data) => {
      this.#release(data);
      this.#forward(data);
    });
  }

  get lastUsed(): number {
    return this.#held.length > 0 ? performance.now() : this.#lastUsed;
  }

  set(faults: Faults): void {
    this.#options.link.set(faults);
  }

  /** Takes a datagram. Resolves when the next one may follow. */
  pass(data: Uint8Array): Promise<void> {
    const { link, counts } = this.#options;
    const now = this.#lastUsed = performance.now();
    const passages = link.cross(data.length, now);
    counts.received++;
    counts.duplicated += passages.length - 1;
    for (const { fate, at, flippedBit } of passages) {
      if (fate !== "passed") {
        counts[fate]++;
        continue;
      }
      const copy = flippedBit === undefined ? data : flipBit(data, flippedBit);
      // Datagrams that are due leave first; this one does not wait for later ones.
      if (at <= now && now < this.#held.due) this.#forward(copy);
      else this.#hold(copy, at);
    }
    return this.#sending;
  }

  /** Drops the datagrams that it holds. Resolves when it sends no more. */
  async close(): Promise<void> {
    for (const data of this.#held.clear()) {
      this.#release(data);
      this.#options.counts.notSent++;
    }
    await this.#sending;
  }

  #hold(data: Uint8Array, at: number): void {
    const { counts, room } = this.#options;
    if (!room.take(data.length + OVERHEAD_BYTES)) {
      counts.queueFull++;
      return;
    }
    counts.inFlight++;
    // Received data is part of a larger chunk, which it would keep alive.
    this.#held.hold(data.slice(), at);
  }

  #release(data: Uint8Array): void {
    this.#options.room.free(data.length + OVERHEAD_BYTES);
    this.#options.counts.inFlight--;
    this.#lastUsed = performance.now();
  }

  #forward(data: Uint8Array): void {
    this.#options.counts.inFlight++;
    this.#sending = this.#send(data);
  }

  async #send(data: Uint8Array): Promise<void> {
    const { counts, send, report } = this.#options;
    try {
      await send(data);
      counts.forwarded++;
    } catch (error) {
      counts.notSent++;
      if (!(error instanceof SocketClosedError)) report(error);
    }
    counts.inFlight--;
  }
}

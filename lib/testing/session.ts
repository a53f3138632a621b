import { systemClock } from "../clock.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { SocketClosedError } from "../errors.ts";
import { DelayLine } from "./delay_line.ts";
import { type Faults, flipBit, type Link } from "./faults.ts";
import { pump } from "../socket/pump.ts";

// What one held datagram takes beyond its bytes, as measured.
const OVERHEAD_BYTES = 600;

/**
 * Datagrams of one direction by fate: received + duplicated = the sum of the
 * others.
 */
export interface DirectionStats {
  /** What came in. */
  received: number;
  /** Copies that the relay made. */
  duplicated: number;
  /** What went on. */
  forwarded: number;
  /** By chance. */
  lost: number;
  /** Longer than `mtu`. */
  overMtu: number;
  /** Too many waited. */
  queueFull: number;
  /** The system did not take it, or the session ended before its time. */
  notSent: number;
  /** Still held, or just being sent. */
  inFlight: number;
}

/** All zero. */
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

/** Bytes that may be held, shared by all who hold some. */
export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Whether there was room for so many. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** One client, with an upstream port of its own. */
export class Session {
  readonly up: Way;
  readonly down: Way;
  readonly #upstream: ConnectedSocket;
  readonly #running: Promise<void>;

  constructor(
    upstream: ConnectedSocket,
    up: Way,
    down: Way,
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

  /** When something last came or went; now, while something is held. */
  get lastUsed(): number {
    return Math.max(this.up.lastUsed, this.down.lastUsed);
  }

  /** Ends it. What is held is not sent. */
  async close(): Promise<void> {
    await Promise.all([this.up.close(), this.down.close()]);
    await this.#upstream[Symbol.asyncDispose]();
    await this.#running;
  }
}

/** What a {@linkcode Way} shares with others, and where it leads. */
export interface WayOptions {
  link: Link;
  counts: DirectionStats;
  room: Room;
  send: (data: Uint8Array) => Promise<void>;
  report: (error: unknown) => void;
}

/** One direction of a session: what its link decides happens here. */
export class Way {
  readonly #options: WayOptions;
  readonly #held: DelayLine<Uint8Array>;
  #sending: Promise<void> = Promise.resolve();
  #lastUsed = performance.now();

  constructor(options: WayOptions) {
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

  /** Takes a datagram; resolves when the next may come. */
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
      // What is due goes first, and then nothing waits for what is not.
      if (at <= now && now < this.#held.due) this.#forward(copy);
      else this.#hold(copy, at);
    }
    return this.#sending;
  }

  /** Forgets what it holds, and resolves when it sends no more. */
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
    this.#options.room.give(data.length + OVERHEAD_BYTES);
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

import type { NetAddr } from "../../addr.ts";
import type { Run } from "../../carrier.ts";
import { ownership } from "./memory.ts";

// A batch is as long as what a socket keeps.
const MAX_BATCH = 256;

/** The limits of {@linkcode Arrivals}. */
export interface Limits {
  /** How many datagrams may wait. */
  readonly datagrams: number;
  /** How many bytes they may have together. */
  readonly bytes: number;
}

/** The datagrams that have arrived and wait to be received, in order. */
export class Arrivals {
  /** Datagrams that did not fit, and those that waited when it was closed. */
  readonly drops: { queueFull: number; closed: number } = {
    queueFull: 0,
    closed: 0,
  };
  readonly #limits: Limits;
  readonly #own = ownership();
  #waiting: Run<NetAddr>[] = [];
  #next = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** How many datagrams wait. */
  get length(): number {
    return this.#waiting.length - this.#next;
  }

  /** Adds a datagram, or counts it as dropped. */
  push(received: Uint8Array, hostname: string, port: number): void {
    const { length } = received;
    if (this.#isClosed) return void this.drops.closed++;
    // One always fits, however long it is.
    const isFull = this.length >= this.#limits.datagrams ||
      this.length > 0 && this.#bytes + length > this.#limits.bytes;
    if (isFull) return void this.drops.queueFull++;
    this.#bytes += length;
    this.#waiting.push({
      data: this.#own(received),
      segmentSize: length,
      from: { transport: "udp", hostname, port },
      truncated: false,
      count: 1,
    });
  }

  /** Removes and returns the first datagrams. */
  take(max: number = MAX_BATCH): Run<NetAddr>[] {
    if (this.#next === 0 && this.length <= max) {
      const all = this.#waiting;
      this.#waiting = [];
      this.#bytes = 0;
      return all;
    }
    const batch = this.#waiting.slice(this.#next, this.#next + max);
    for (const { data } of batch) this.#bytes -= data.length;
    this.#next += batch.length;
    // What was taken is not kept alive for long.
    if (this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return batch;
  }

  /** Drops what waits, and all that arrives from now on. */
  close(): void {
    this.#isClosed = true;
    this.drops.closed += this.length;
    this.#waiting = [];
    this.#next = this.#bytes = 0;
  }
}

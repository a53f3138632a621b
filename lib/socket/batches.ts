import type { Addr } from "../addr.ts";
import { wholeNumber, wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import type { Inbox } from "./inbox.ts";
import { type Limits, limitsOf, wait, type WaitOptions } from "./waits.ts";

// The most that the offload carrier receives in one turn.
const DEFAULT_MAX = 2048;
const END = { value: undefined, done: true } as const;

/** How {@linkcode BaseSocket.batches} batches, and how long it waits for each. */
export interface BatchOptions extends WaitOptions {
  /** The most datagrams in a batch, from 1. @default {2048} */
  max?: number | undefined;
  /**
   * Saves copying: the bytes of a batch are in memory that is used again. They
   * are valid only until the next batch is asked for, or anything else is
   * received on the socket. Copy the bytes that you keep (`data.slice()`).
   * @default {false: the bytes belong to the program}
   */
  reuse?: boolean | undefined;
}

/**
 * Iterates over datagrams in batches until the socket is closed. Ending the
 * iteration leaves the socket open.
 */
export function batches<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  options?: BatchOptions,
): AsyncIterableIterator<Datagram<A>[]> {
  const limits = limitsOf(inbox.attempt, options);
  const { max = DEFAULT_MAX, reuse = false } = options ?? {};
  wholeNumber(inbox.attempt, "max", max, 1);
  if (typeof reuse !== "boolean") {
    throw wrongType(inbox.attempt, "reuse", "true or false", reuse);
  }
  return new Batches(inbox, clock, max, reuse, limits);
}

class Batches<A extends Addr> implements AsyncIterableIterator<Datagram<A>[]> {
  readonly #inbox: Inbox<A>;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #reuse: boolean;
  readonly #limits: Limits | undefined;
  #ended = false;

  constructor(
    inbox: Inbox<A>,
    clock: Clock,
    max: number,
    reuse: boolean,
    limits: Limits | undefined,
  ) {
    this.#inbox = inbox;
    this.#clock = clock;
    this.#max = max;
    this.#reuse = reuse;
    this.#limits = limits;
  }

  async next(): Promise<IteratorResult<Datagram<A>[]>> {
    if (this.#ended) return END;
    const isAborted = this.#limits?.signal?.aborted === true;
    let batch = isAborted ? [] : this.#inbox.takeMany(this.#max);
    if (batch.length === 0) {
      const arrived = await this.#arrived();
      if (arrived === undefined) return END;
      batch = arrived;
      // If others wait too, the rest of what arrived was kept.
      if (batch.length < this.#max) {
        batch.push(...this.#inbox.takeMany(this.#max - batch.length));
      }
    }
    return { value: batch, done: false };
  }

  return(): Promise<IteratorResult<Datagram<A>[]>> {
    this.#ended = true;
    this.#inbox.waiters.endAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Waits for datagrams; `undefined` if the socket is closed. */
  #arrived(): Promise<Datagram<A>[] | undefined> {
    return new Promise((resolve, reject) => {
      wait(this.#inbox, this.#clock, this.#limits, {
        owner: this,
        batch: { max: this.#max, reuse: this.#reuse, resolve },
        resolve: (datagram) => resolve([datagram]),
        reject,
        end: () => resolve(undefined),
      });
    });
  }
}

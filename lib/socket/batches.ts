import type { Addr } from "../addr.ts";
import { wholeNumber, wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import type { Inbox } from "./inbox.ts";
import type { Batch, Waiter } from "./waiter.ts";
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

  next(): Promise<IteratorResult<Datagram<A>[]>> {
    if (this.#ended) return Promise.resolve(END);
    const inbox = this.#inbox;
    const isAborted = this.#limits?.signal?.aborted === true;
    const value = isAborted ? [] : inbox.takeMany(this.#max);
    if (value.length > 0) return Promise.resolve({ value, done: false });
    return new Promise((resolve, reject) => {
      const batch = {
        max: this.#max,
        reuse: this.#reuse,
        resolve: (value: Datagram<A>[]) => resolve({ value, done: false }),
      };
      const step = new Step(this, inbox, batch, resolve, reject);
      wait(inbox, this.#clock, this.#limits, step);
    });
  }

  return(): Promise<IteratorResult<Datagram<A>[]>> {
    this.#ended = true;
    this.#inbox.waiters.endAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One `next` that waits: for a batch, or for a single datagram if others wait. */
class Step<A extends Addr> implements Waiter<A> {
  readonly owner: object;
  readonly batch: Batch<A>;
  readonly reject: (reason: unknown) => void;
  stop?: () => void;
  readonly #inbox: Inbox<A>;
  readonly #resolve: (result: IteratorResult<Datagram<A>[]>) => void;

  constructor(
    owner: object,
    inbox: Inbox<A>,
    batch: Batch<A>,
    resolve: (result: IteratorResult<Datagram<A>[]>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.owner = owner;
    this.batch = batch;
    this.reject = reject;
    this.#inbox = inbox;
    this.#resolve = resolve;
  }

  resolve(datagram: Datagram<A>): void {
    const inbox = this.#inbox;
    const { max } = this.batch;
    const value = [datagram];
    const end = () => this.#resolve({ value, done: false });
    if (max === 1 || inbox.waiting === 0) return end();
    // It takes what is left when all others that wait have their datagrams.
    queueMicrotask(() => {
      value.push(...inbox.takeMany(max - 1));
      end();
    });
  }

  end(): void {
    this.#resolve(END);
  }
}

import { checkTimeout, type Clock } from "./clock.ts";
import type { Datagram } from "./datagram.ts";
import { SocketClosedError } from "./errors.ts";
import type { Inbox } from "./inbox.ts";
import { receive, type WaitOptions } from "./waits.ts";

const DEFAULT_MAX = 1024;
const END = { value: undefined, done: true } as const;

/** How {@linkcode BaseSocket.batches} batches, and how long it waits for each. */
export interface BatchOptions extends WaitOptions {
  /** The most datagrams in a batch, from 1. @default {1024} */
  max?: number;
}

/** Batches until the socket is closed. Ending it closes nothing. */
export function batches<A extends Deno.Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  { max = DEFAULT_MAX, ...limits }: BatchOptions = {},
): AsyncIterableIterator<Datagram<A>[]> {
  if (!Number.isInteger(max) || max < 1) {
    throw new RangeError(
      `Cannot receive: max must be a whole number from 1: given ${max}`,
    );
  }
  checkTimeout(limits.timeoutMs);
  return new Batches(inbox, clock, max, limits);
}

class Batches<A extends Deno.Addr>
  implements AsyncIterableIterator<Datagram<A>[]> {
  readonly #inbox: Inbox<A>;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #limits: WaitOptions;
  #ended = false;

  constructor(
    inbox: Inbox<A>,
    clock: Clock,
    max: number,
    limits: WaitOptions,
  ) {
    this.#inbox = inbox;
    this.#clock = clock;
    this.#max = max;
    this.#limits = limits;
  }

  async next(): Promise<IteratorResult<Datagram<A>[]>> {
    if (this.#ended) return END;
    const isAborted = this.#limits.signal?.aborted === true;
    const here = isAborted ? [] : this.#inbox.takeMany(this.#max);
    if (here.length > 0) return { value: here, done: false };
    try {
      const first = await receive(this.#inbox, this.#clock, this.#limits, this);
      // What came together with it is here by now.
      const others = this.#max === 1 ? [] : this.#inbox.takeMany(this.#max - 1);
      others.unshift(first);
      return { value: others, done: false };
    } catch (error) {
      if (error instanceof SocketClosedError) return END;
      throw error;
    }
  }

  return(): Promise<IteratorResult<Datagram<A>[]>> {
    this.#ended = true;
    this.#inbox.withdrawAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

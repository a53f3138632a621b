import type { Addr } from "../addr.ts";
import { milliseconds } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { SocketClosedError } from "../errors.ts";
import type { Inbox } from "./inbox.ts";
import { receive, type WaitOptions } from "./waits.ts";

// What the offload carrier takes in a turn.
const DEFAULT_MAX = 2048;
const END = { value: undefined, done: true } as const;

/** How {@linkcode BaseSocket.batches} batches, and how long it waits for each. */
export interface BatchOptions extends WaitOptions {
  /** The most datagrams in a batch, from 1. @default {2048} */
  max?: number;
  /**
   * Saves copying: the bytes of a batch lie in memory that is used again, and are
   * good only until the next one is asked for, or anything else is received on
   * the socket. Copy (`data.slice()`) what you keep.
   * @default {false: the bytes are yours}
   */
  reuse?: boolean;
}

/** Batches until the socket is closed. Ending it closes nothing. */
export function batches<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  { max = DEFAULT_MAX, reuse = false, ...limits }: BatchOptions = {},
): AsyncIterableIterator<Datagram<A>[]> {
  if (!Number.isInteger(max) || max < 1) {
    throw new RangeError(
      `Cannot receive: max must be a whole number from 1: given ${max}`,
    );
  }
  milliseconds("receive", "timeoutMs", limits.timeoutMs);
  return new Batches(inbox, clock, max, reuse, limits);
}

class Batches<A extends Addr> implements AsyncIterableIterator<Datagram<A>[]> {
  readonly #inbox: Inbox<A>;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #reuse: boolean;
  readonly #limits: WaitOptions;
  #ended = false;

  constructor(
    inbox: Inbox<A>,
    clock: Clock,
    max: number,
    reuse: boolean,
    limits: WaitOptions,
  ) {
    this.#inbox = inbox;
    this.#clock = clock;
    this.#max = max;
    this.#reuse = reuse;
    this.#limits = limits;
  }

  async next(): Promise<IteratorResult<Datagram<A>[]>> {
    if (this.#ended) return END;
    const isAborted = this.#limits.signal?.aborted === true;
    const here = isAborted ? [] : this.#inbox.takeMany(this.#max);
    if (here.length > 0) return { value: here, done: false };
    try {
      const borrow = this.#reuse ? { max: this.#max, rest: [] } : undefined;
      const first = await receive(
        this.#inbox,
        this.#clock,
        this.#limits,
        this,
        borrow,
      );
      // What came together with it is here by now.
      const rest: Datagram<A>[] = borrow?.rest ?? [];
      const room = this.#max - 1 - rest.length;
      const others = room === 0 ? [] : this.#inbox.takeMany(room);
      return { value: [first, ...rest, ...others], done: false };
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

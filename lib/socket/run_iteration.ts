import type { Addr } from "../addr.ts";
import { wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import type { ReceivedRun } from "../run.ts";
import type { Inbox } from "./inbox.ts";
import { runOf } from "./runs.ts";
import type { Waiter } from "./waiter.ts";
import { type Limits, limitsOf, wait, type WaitOptions } from "./waits.ts";

const END = { value: undefined, done: true } as const;

/** How {@linkcode BaseSocket.runs} receives, and how long it waits for each run. */
export interface RunOptions extends WaitOptions {
  /**
   * Saves copying: the bytes of a run are in memory that is used again. They are
   * valid until the next run is asked for or the iteration ends, whatever else
   * is received meanwhile. Copy the bytes that you keep (`data.slice()`).
   * @default {false: the bytes belong to the program}
   */
  reuse?: boolean | undefined;
}

/**
 * Iterates over runs until the socket is closed. Ending the iteration leaves the
 * socket open, and in it what was not yielded.
 */
export function runs<A extends Addr>(
  inbox: Inbox<A>,
  clock: Clock,
  options?: RunOptions,
): AsyncIterableIterator<ReceivedRun<A>> {
  const limits = limitsOf(inbox.attempt, options);
  const { reuse = false } = options ?? {};
  if (typeof reuse !== "boolean") {
    throw wrongType(inbox.attempt, "reuse", "true or false", reuse);
  }
  return new RunIteration(inbox, clock, reuse, limits);
}

class RunIteration<A extends Addr>
  implements AsyncIterableIterator<ReceivedRun<A>> {
  readonly #inbox: Inbox<A>;
  readonly #clock: Clock;
  readonly #limits: Limits | undefined;
  // Whoever borrows memory of the carrier.
  readonly #borrower: object | undefined;
  #ended = false;

  constructor(
    inbox: Inbox<A>,
    clock: Clock,
    reuse: boolean,
    limits: Limits | undefined,
  ) {
    this.#inbox = inbox;
    this.#clock = clock;
    this.#limits = limits;
    this.#borrower = reuse ? this : undefined;
  }

  next(): Promise<IteratorResult<ReceivedRun<A>>> {
    const inbox = this.#inbox;
    inbox.giveBack(this);
    if (this.#ended) return Promise.resolve(END);
    const isAborted = this.#limits?.signal?.aborted === true;
    const value = isAborted ? undefined : inbox.takeRun(this.#borrower);
    if (value !== undefined) return Promise.resolve({ value, done: false });
    return new Promise((resolve, reject) => {
      const step = new Step(this, this.#borrower, resolve, reject);
      wait(inbox, this.#clock, this.#limits, step);
    });
  }

  return(): Promise<IteratorResult<ReceivedRun<A>>> {
    this.#ended = true;
    this.#inbox.giveBack(this);
    this.#inbox.waiters.endAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One `next` that waits: for a run, or for a single datagram if others wait. */
class Step<A extends Addr> implements Waiter<A> {
  readonly owner: object;
  readonly borrower: object | undefined;
  readonly reject: (reason: unknown) => void;
  stop?: () => void;
  readonly #resolve: (result: IteratorResult<ReceivedRun<A>>) => void;

  constructor(
    owner: object,
    borrower: object | undefined,
    resolve: (result: IteratorResult<ReceivedRun<A>>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.owner = owner;
    this.borrower = borrower;
    this.#resolve = resolve;
    this.reject = reject;
  }

  resolve(datagram: Datagram<A>): void {
    this.resolveRun(runOf(datagram));
  }

  resolveRun(value: ReceivedRun<A>): void {
    this.#resolve({ value, done: false });
  }

  end(): void {
    this.#resolve(END);
  }
}

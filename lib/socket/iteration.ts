import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { Inbox } from "./inbox.ts";
import type { Waiter } from "./waiter.ts";

const END = { value: undefined, done: true } as const;

/**
 * Iterates over datagrams until the socket is closed. Ending the iteration
 * leaves the socket open.
 */
export class Iteration<A extends Addr>
  implements AsyncIterableIterator<Datagram<A>> {
  readonly #inbox: Inbox<A>;
  #ended = false;

  constructor(inbox: Inbox<A>) {
    this.#inbox = inbox;
  }

  next(): Promise<IteratorResult<Datagram<A>>> {
    const value = this.#ended ? undefined : this.#inbox.take();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    return new Promise((resolve, reject) => {
      if (this.#ended) resolve(END);
      else this.#inbox.wait(new Step(this, resolve, reject));
    });
  }

  return(): Promise<IteratorResult<Datagram<A>>> {
    this.#ended = true;
    this.#inbox.waiters.endAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One `next` that waits. It is a class because closures cost a receive 2 %. */
class Step<A extends Addr> implements Waiter<A> {
  readonly owner: object;
  readonly reject: (reason: unknown) => void;
  readonly #resolve: (result: IteratorResult<Datagram<A>>) => void;

  constructor(
    owner: object,
    resolve: (result: IteratorResult<Datagram<A>>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.owner = owner;
    this.#resolve = resolve;
    this.reject = reject;
  }

  resolve(value: Datagram<A>): void {
    this.#resolve({ value, done: false });
  }

  end(): void {
    this.#resolve(END);
  }
}

/**
 * Makes a stream of datagrams that reads nothing ahead. Canceling it leaves the
 * socket open. A reader that releases its lock while it reads leaves one
 * datagram in the stream, for the stream's next reader.
 *
 * @param onEnd Called when the stream ends although the socket is open.
 */
export function readable<A extends Addr>(
  inbox: Inbox<A>,
  onEnd: () => void,
): ReadableStream<Datagram<A>> {
  let cancel: (() => void) | undefined;
  return new ReadableStream({
    // Whenever the stream can be canceled, a datagram must be either in the
    // stream or still in the inbox: so there is no `await` between the two.
    pull: (controller) =>
      new Promise<void>((resolve, reject) => {
        const waiter: Waiter<A> = {
          resolve: (datagram) => {
            controller.enqueue(datagram);
            resolve();
          },
          reject: (reason) => {
            onEnd();
            reject(reason);
          },
          end: () => {
            controller.close();
            resolve();
          },
        };
        cancel = () => {
          inbox.waiters.withdraw(waiter);
          resolve();
        };
        inbox.wait(waiter);
      }),
    cancel: () => {
      cancel?.();
      onEnd();
    },
  }, { highWaterMark: 0 });
}

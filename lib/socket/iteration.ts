import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import { SocketClosedError } from "../errors.ts";
import type { Inbox, Waiter } from "./inbox.ts";

const END = { value: undefined, done: true } as const;

/** Datagrams until the socket is closed. Ending the iteration closes nothing. */
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
    this.#inbox.withdrawAll(this);
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** One `next` that waits: of a class, as closures for each cost a receive 2 %. */
class Step<A extends Addr> implements Waiter<A> {
  readonly owner: object;
  readonly #resolve: (result: IteratorResult<Datagram<A>>) => void;
  readonly #reject: (reason: unknown) => void;

  constructor(
    owner: object,
    resolve: (result: IteratorResult<Datagram<A>>) => void,
    reject: (reason: unknown) => void,
  ) {
    this.owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  resolve(value: Datagram<A>): void {
    this.#resolve({ value, done: false });
  }

  reject(reason: unknown): void {
    if (reason instanceof SocketClosedError) this.#resolve(END);
    else this.#reject(reason);
  }
}

/**
 * Datagrams as a stream that reads nothing ahead. Cancelling it closes nothing.
 * A reader that lets go of its lock while it reads leaves one datagram in the
 * stream, for the stream's next reader.
 *
 * @param onEnd Called when the stream gives no more though the socket is open.
 */
export function readable<A extends Addr>(
  inbox: Inbox<A>,
  onEnd: () => void,
): ReadableStream<Datagram<A>> {
  let cancel: (() => void) | undefined;
  return new ReadableStream({
    // A datagram must be in the stream, or still in the inbox, at each moment
    // at which the stream can be cancelled: so no `await` between the two.
    pull: (controller) =>
      new Promise<void>((resolve, reject) => {
        const waiter: Waiter<A> = {
          resolve: (datagram) => {
            controller.enqueue(datagram);
            resolve();
          },
          reject: (reason) => {
            if (reason instanceof SocketClosedError) {
              controller.close();
              return resolve();
            }
            onEnd();
            reject(reason);
          },
        };
        cancel = () => {
          inbox.withdraw(waiter);
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

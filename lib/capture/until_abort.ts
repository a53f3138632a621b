import { beforeAbort, ignoreRejection } from "../promises.ts";

/**
 * Gives the items of an iterable until the signal aborts. An item for which it
 * waits then, such as the next packet of a pipe, is given up: the iterable is told
 * to end, and not waited for.
 *
 * @throws What the iterable throws.
 */
export async function* untilAbort<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in items
    ? items[Symbol.asyncIterator]()
    : items[Symbol.iterator]();
  let isOver = false;
  let isWaiting = false;
  try {
    while (!signal.aborted) {
      isWaiting = true;
      const next = Promise.try(() => iterator.next());
      await beforeAbort(next, signal);
      if (signal.aborted) return;
      isOver = true;
      const { done, value } = await next;
      if (done === true) return;
      isOver = isWaiting = false;
      yield value;
    }
  } finally {
    const ended = isOver ? undefined : iterator.return?.();
    if (!isWaiting) await ended;
    else if (ended !== undefined) ignoreRejection(Promise.resolve(ended));
  }
}

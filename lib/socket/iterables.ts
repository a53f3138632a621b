import { wrongType } from "../check.ts";
import type { Attempt } from "../errors.ts";

/** Messages that are read while they are sent. */
export type Messages = Iterable<unknown> | AsyncIterable<unknown>;

/**
 * Checks the messages. Text and bytes can be iterated over, but their letters
 * and numbers are not messages.
 *
 * @throws {TypeError} They are not an iterable of messages.
 */
export function requireMessages(
  attempt: Attempt,
  messages: unknown,
): asserts messages is Messages {
  const isIterable = typeof messages === "object" && messages !== null &&
    !ArrayBuffer.isView(messages) &&
    (isAsync(messages) || hasMethod(messages, Symbol.iterator));
  if (!isIterable) throw notMessages(attempt, messages);
}

/** Whether the messages come later. */
export function isAsync(messages: object): messages is AsyncIterable<unknown> {
  return hasMethod(messages, Symbol.asyncIterator);
}

/** Whether it is an array that is iterated over as arrays are. */
export function isPlainArray(
  messages: Iterable<unknown>,
): messages is readonly unknown[] {
  return Array.isArray(messages) &&
    messages[Symbol.iterator] === Array.prototype[Symbol.iterator];
}

/** Returns the iterator of the messages, as an iterable, or a plain array. */
export function syncMessages(
  attempt: Attempt,
  messages: Iterable<unknown>,
): Iterable<unknown> {
  if (isPlainArray(messages)) return messages;
  const iterator = messages[Symbol.iterator]();
  if (!isIterator(iterator)) throw notMessages(attempt, messages);
  return { [Symbol.iterator]: () => iterator };
}

/**
 * Reads messages that come later. A `for await` would wait for an iterator that
 * never returns.
 */
export class AsyncMessages {
  readonly #attempt: Attempt;
  readonly #iterator: AsyncIterator<unknown>;
  #isOver = false;

  constructor(attempt: Attempt, messages: AsyncIterable<unknown>) {
    this.#attempt = attempt;
    this.#iterator = messages[Symbol.asyncIterator]();
    if (isIterator(this.#iterator)) return;
    throw notMessages(attempt, messages);
  }

  /** Reads the next message. An iterator that throws has come to its end. */
  async next(): Promise<IteratorResult<unknown, undefined>> {
    let result: unknown;
    try {
      result = await this.#iterator.next();
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
    if (typeof result !== "object" || result === null) {
      const wanted = "an object with done and value";
      throw wrongType(this.#attempt, "the result of next()", wanted, result);
    }
    const { done, value } = result as IteratorResult<unknown>;
    if (!done) return { done: false, value };
    this.#isOver = true;
    return { done: true, value: undefined };
  }

  /** Ends the iterator, unless it has come to its end, and does not wait. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    Promise.try(() => this.#iterator.return?.()).catch(() => {});
  }
}

function isIterator(iterator: unknown): boolean {
  const { next } = (iterator ?? {}) as Partial<Iterator<unknown>>;
  return typeof next === "function";
}

function hasMethod(object: object, name: symbol): boolean {
  return typeof (object as Record<symbol, unknown>)[name] === "function";
}

function notMessages(attempt: Attempt, messages: unknown): TypeError {
  return wrongType(attempt, "messages", "an iterable", messages);
}

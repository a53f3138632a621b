import type { MeasureInterval } from "./result.ts";

// Intervals that nobody reads: then the last one goes on until there is room.
const MAX_UNREAD = 60;

/** Intervals that wait for their reader: few, however long nobody reads. */
export class IntervalQueue implements AsyncIterableIterator<MeasureInterval> {
  readonly #unread: MeasureInterval[] = [];
  readonly #readers: PromiseWithResolvers<IteratorResult<MeasureInterval>>[] =
    [];
  #end: { readonly error?: unknown } | undefined;

  /** Whether there is room for another one. */
  get hasRoom(): boolean {
    return this.#unread.length < MAX_UNREAD;
  }

  /** Adds one. */
  add(value: MeasureInterval): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ value, done: false });
    else this.#unread.push(value);
  }

  /** No more come. @param failed Why, if something failed. */
  end(failed: { readonly error?: unknown } = {}): void {
    this.#end = failed;
    for (const reader of this.#readers.splice(0)) this.#settle(reader);
  }

  next(): Promise<IteratorResult<MeasureInterval>> {
    const value = this.#unread.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    const reader = Promise.withResolvers<IteratorResult<MeasureInterval>>();
    if (this.#end === undefined) this.#readers.push(reader);
    else this.#settle(reader);
    return reader.promise;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #settle(
    reader: PromiseWithResolvers<IteratorResult<MeasureInterval>>,
  ): void {
    if (this.#end !== undefined && "error" in this.#end) {
      reader.reject(this.#end.error);
    } else reader.resolve({ value: undefined, done: true });
  }
}

import type { VirtualClock } from "../virtual_clock.ts";
import { type Fn, isObject } from "./builtins.ts";
import { Place } from "./place.ts";

/** The real jobs that are pending in one run. While there is one, time stands still. */
export class Jobs {
  readonly #clock: VirtualClock;
  readonly #pending = new Set<() => string>();
  #changes = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Those that are pending, in the order in which they began. */
  get pending(): string[] {
    return Array.from(this.#pending, (describe) => describe());
  }

  /** How many jobs have begun or ended. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Begins a job.
   *
   * @returns What ends it.
   */
  begin(name: string): () => void {
    const place = new Place(this.begin);
    const job = () => `${place}` === "" ? name : `${name} (${place})`;
    this.#pending.add(job);
    this.#changes++;
    this.#clock.hold();
    return () => {
      if (!this.#pending.delete(job)) return;
      this.#changes++;
      this.#clock.release();
    };
  }

  /** Ends all jobs: what they do from now on is nobody's concern. */
  end(): void {
    for (const job of this.#pending) {
      this.#pending.delete(job);
      this.#clock.release();
    }
  }

  /**
   * Counts what a call has begun until it ends: a promise, or each step of an
   * asynchronous iteration.
   *
   * @param begin Makes the call.
   * @returns What the call returns. A promise is another one, so that one that
   * rejects unhandled stays unhandled.
   */
  count<T>(name: string, begin: () => T): T {
    const end = this.begin(name);
    try {
      const result = begin();
      if (result instanceof Promise) return this.#untilSettled(result, end);
      end();
      return this.#eachStep(name, result);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Counts what a call has begun until it calls back with its last argument. */
  countCallback(name: string, call: Fn, args: unknown[]): unknown {
    const callback = args.at(-1);
    if (typeof callback !== "function") return call(...args);
    const end = this.begin(name);
    const ending = function (this: unknown, ...results: unknown[]): unknown {
      end();
      return Reflect.apply(callback, this, results);
    };
    try {
      return call(...args.slice(0, -1), ending);
    } catch (error) {
      end();
      throw error;
    }
  }

  #untilSettled<T extends Promise<unknown>>(result: T, end: () => void): T {
    const counted = result.then((value) => {
      end();
      return value;
    }, (error) => {
      end();
      throw error;
    });
    // Such as the `child` of a promisified `exec`.
    return Object.assign(counted, result) as Promise<unknown> as T;
  }

  #eachStep<T>(name: string, result: T): T {
    if (!isObject(result)) return result;
    const iterate = result[Symbol.asyncIterator];
    if (typeof iterate !== "function") return result;
    const counted = () => {
      const iterator = Reflect.apply(iterate, result, []) as AsyncIterator<
        unknown
      >;
      const next = iterator.next.bind(iterator);
      iterator.next = (...args) => this.count(name, () => next(...args));
      return iterator;
    };
    return Object.assign(result, { [Symbol.asyncIterator]: counted });
  }
}

import type { VirtualClock } from "../virtual_clock.ts";
import { findBuiltin } from "../../runtime.ts";
import type { Fn } from "./builtins.ts";
import { Place } from "./place.ts";

// Where a call was planned is kept only of so many at one time: a message names
// fewer, and a place takes as long as all the rest.
const MAX_PLACES = 100;

interface Resource {
  runInAsyncScope(
    callback: Fn,
    self: unknown,
    ...args: readonly unknown[]
  ): unknown;
}
type ResourceClass = new (
  type: string,
  options: { requireManualDestroy: boolean },
) => Resource;

/** What a call needs to be made. */
export interface CallOptions {
  /** The function that planned it, for messages. */
  readonly name: string;
  /** That function: its caller is where the call was planned. */
  readonly planner: (...args: never[]) => unknown;
  readonly callback: Fn;
  readonly args: readonly unknown[];
  /** When, for messages: `1000 ms`. */
  readonly when?: string;
}

/** The calls that the timers of one run have planned. */
export class Calls {
  readonly clock: VirtualClock;
  /** In the order in which they were planned last. */
  readonly planned: Set<Call> = new Set();
  /** How many events of the clock were planned by calls that nobody waits for. */
  idleEvents = 0;
  /** After the end, nothing is planned. */
  hasEnded = false;
  readonly resource = findBuiltin("node:async_hooks")?.["AsyncResource"] as
    | ResourceClass
    | undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /** Those that keep a program running. */
  get awaited(): Call[] {
    return [...this.planned].filter((call) => call.isRef);
  }

  /** Cancels all of them. */
  end(): void {
    this.hasEnded = true;
    for (const call of [...this.planned]) call.cancel();
  }
}

/** A call that can be planned, again and again. */
export class Call {
  readonly #calls: Calls;
  readonly #options: CallOptions;
  readonly #place: Place | undefined;
  // Keeps the async context, as AsyncLocalStorage has it.
  readonly #resource: Resource | undefined;
  #isRef = true;
  #cancel: (() => void) | undefined;

  constructor(calls: Calls, options: CallOptions) {
    const { resource: Resource, planned } = calls;
    this.#calls = calls;
    this.#options = options;
    if (planned.size < MAX_PLACES) this.#place = new Place(options.planner);
    this.#resource = Resource &&
      new Resource("Timer", { requireManualDestroy: true });
  }

  /** Whether it is still to come. */
  get isPlanned(): boolean {
    return this.#cancel !== undefined;
  }

  /** Whether it keeps a program running. */
  get isRef(): boolean {
    return this.#isRef;
  }

  set isRef(isRef: boolean) {
    if (this.isPlanned) {
      this.#calls.idleEvents += Number(this.#isRef) - Number(isRef);
    }
    this.#isRef = isRef;
  }

  /**
   * Plans the call, instead of the one that is planned.
   *
   * @param make Makes the call by calling `call`.
   */
  plan(ms: number, make: () => void): void {
    this.cancel();
    if (this.#calls.hasEnded) return;
    if (!this.#isRef) this.#calls.idleEvents++;
    this.#calls.planned.add(this);
    this.#cancel = this.#calls.clock.after(ms, () => {
      this.cancel();
      make();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#calls.planned.delete(this);
  }

  /** Calls back. */
  call(self: unknown): void {
    const { callback, args } = this.#options;
    if (this.#resource === undefined) Reflect.apply(callback, self, args);
    else this.#resource.runInAsyncScope(callback, self, ...args);
  }

  /** Says what it is, and where it was planned first. */
  toString(): string {
    const { name, when } = this.#options;
    const notes = [when, this.#place?.toString(), this.#isRef ? "" : "unref"];
    const shown = notes.filter(Boolean).join(", ");
    return shown === "" ? name : `${name} (${shown})`;
  }
}

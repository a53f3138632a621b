import type { VirtualClock } from "../virtual_clock.ts";
import type { Fn } from "./builtins.ts";
import { Call, Calls } from "./calls.ts";

const MAX_DELAY_MS = 2 ** 31 - 1;
// Far from the numbers that the platform gives its own timers.
const FIRST_ID = 2 ** 40;
// How many immediates come at one moment, at most: without that, a program that
// polls by them would stop the time.
const MAX_AT_ONCE = 1000;

/** The timers of one run: those of Node, Deno and Bun, on a virtual clock. */
export class Timers {
  /** The calls that are planned. */
  readonly calls: Calls;
  readonly #ids = new Map<string, Timeout>();
  #nextId = FIRST_ID;
  #immediatesAt = 0;
  #immediates = 0;

  constructor(clock: VirtualClock) {
    this.calls = new Calls(clock);
  }

  // In Bun a call that is returned leaves the stack, in which `planner` is sought:
  // what these two return is no call.
  setTimeout(callback: Fn, ms: unknown, ...args: unknown[]): Timeout {
    const call = this.#call("setTimeout", callback, ms, args);
    return new Timeout(call, delayOf(ms), false, this.#name);
  }

  setInterval(callback: Fn, ms: unknown, ...args: unknown[]): Timeout {
    const call = this.#call("setInterval", callback, ms, args);
    return new Timeout(call, delayOf(ms), true, this.#name);
  }

  setImmediate(callback: Fn, ...args: unknown[]): Immediate {
    const { setImmediate: planner } = Timers.prototype;
    const options = { name: "setImmediate", planner, callback, args };
    const call = new Call(this.calls, options);
    return new Immediate(call, this.#immediateMs());
  }

  /** Calls back once; nobody waits for it, and no limit is too long. */
  setLimit(callback: () => void, ms: number, name: string): void {
    const { setLimit: planner } = Timers.prototype;
    const options = { name, planner, callback, args: [], when: `${ms} ms` };
    const call = new Call(this.calls, options);
    call.isRef = false;
    call.plan(ms, () => call.call(undefined));
  }

  /**
   * Finds a timer by what `setTimeout` has returned, or by its number.
   *
   * @returns `undefined` if it is none of a run's: the platform may know it.
   */
  find(timer: unknown): Timeout | Immediate | undefined {
    const found = typeof timer === "number" || typeof timer === "string"
      ? this.#ids.get(`${timer}`)
      : timer;
    return found instanceof Timeout || found instanceof Immediate
      ? found
      : undefined;
  }

  readonly #name = (timeout: Timeout): number => {
    const id = this.#nextId++;
    this.#ids.set(`${id}`, timeout);
    return id;
  };

  #call(
    name: "setTimeout" | "setInterval",
    callback: Fn,
    ms: unknown,
    args: unknown[],
  ): Call {
    const planner = Timers.prototype[name];
    const when = `${delayOf(ms)} ms`;
    return new Call(this.calls, { name, planner, callback, args, when });
  }

  #immediateMs(): number {
    const now = this.calls.clock.now();
    if (now !== this.#immediatesAt) {
      this.#immediatesAt = now;
      this.#immediates = 0;
    }
    return ++this.#immediates > MAX_AT_ONCE ? 1 : 0;
  }
}

/** What `setTimeout` and `setInterval` return, as the class of Node's. */
export class Timeout {
  readonly #call: Call;
  readonly #ms: number;
  readonly #repeats: boolean;
  readonly #name: (timeout: Timeout) => number;
  #id: number | undefined;
  #isCleared = false;

  constructor(
    call: Call,
    ms: number,
    repeats: boolean,
    name: (timeout: Timeout) => number,
  ) {
    this.#call = call;
    this.#ms = ms;
    this.#repeats = repeats;
    this.#name = name;
    this.refresh();
  }

  ref(): this {
    this.#call.isRef = true;
    return this;
  }

  unref(): this {
    this.#call.isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#call.isRef;
  }

  refresh(): this {
    if (!this.#isCleared) this.#call.plan(this.#ms, this.#fire);
    return this;
  }

  close(): this {
    this.#isCleared = true;
    this.#call.cancel();
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.toPrimitive](): number {
    return this.#id ??= this.#name(this);
  }

  readonly #fire = () => {
    try {
      this.#call.call(this);
    } finally {
      // Also if it has thrown.
      if (this.#repeats) this.refresh();
    }
  };
}

/** What `setImmediate` returns, as the class of Node's. */
export class Immediate {
  readonly #call: Call;

  constructor(call: Call, ms: number) {
    this.#call = call;
    call.plan(ms, () => call.call(this));
  }

  ref(): this {
    this.#call.isRef = true;
    return this;
  }

  unref(): this {
    this.#call.isRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#call.isRef && this.#call.isPlanned;
  }

  [Symbol.dispose](): void {
    this.#call.cancel();
  }
}

/** Returns a delay as Node, Deno and Bun read it. */
function delayOf(ms: unknown): number {
  const delay = (ms as number) * 1;
  return delay >= 1 && delay <= MAX_DELAY_MS ? Math.trunc(delay) : 1;
}

import { findBuiltin } from "../../runtime.ts";
import { type Fn, globalMember, type Members } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import { nextTurn, sleep, ticks, type TimerOptions } from "./timer_promises.ts";
import type { VirtualTime } from "./time.ts";
import { Immediate, Timeout } from "./timers.ts";
import { type Instead, PROMISIFY, replaceAll, switchBy } from "./world.ts";

type InsteadOfTime = Instead<VirtualTime>;

const TIMERS: Readonly<Record<string, InsteadOfTime>> = {
  setTimeout: planned(({ timers }, callback, [ms, ...args]) =>
    timers.setTimeout(callback, ms, ...args)
  ),
  setInterval: planned(({ timers }, callback, [ms, ...args]) =>
    timers.setInterval(callback, ms, ...args)
  ),
  setImmediate: planned(({ timers }, callback, args) =>
    timers.setImmediate(callback, ...args)
  ),
  clearTimeout: found(Timeout, (timeout) => void timeout.close()),
  clearInterval: found(Timeout, (timeout) => void timeout.close()),
  clearImmediate: found(Immediate, (timer) => timer[Symbol.dispose]()),
};

const PROMISES: Readonly<Record<string, InsteadOfTime>> = {
  setTimeout: promised(
    2,
    ({ timers }, [ms, value], options) => sleep(timers, ms, value, options),
  ),
  setImmediate: promised(
    1,
    ({ timers }, [value], options) => nextTurn(timers, value, options),
  ),
  setInterval: promised(
    2,
    ({ timers }, [ms, value], options) => ticks(timers, ms, value, options),
  ),
};

const SCHEDULER: Readonly<Record<string, InsteadOfTime>> = {
  wait: promised(
    1,
    ({ timers }, [ms], options) => sleep(timers, ms, undefined, options),
  ),
  yield: ({ timers }) => nextTurn(timers, undefined),
};

const DENO: Readonly<Record<string, InsteadOfTime>> = {
  refTimer: found(Timeout, (timeout) => void timeout.ref()),
  unrefTimer: found(Timeout, (timeout) => void timeout.unref()),
};

/** Replaces the timers of the platform, in all places where programs take them from. */
export function replaceTimers(patches: Patches): void {
  const promises = findBuiltin("node:timers/promises");
  for (const owner of [globalThis, findBuiltin("node:timers")]) {
    for (const [name, instead] of Object.entries(TIMERS)) {
      patches.replace(owner, name, (native) => {
        const made = switchBy("time", native, instead);
        if (made !== native && promises?.[name] !== undefined) {
          const get = () => promises[name];
          Object.defineProperty(made, PROMISIFY, { get, configurable: true });
        }
        return made;
      });
    }
  }
  // On Deno they are two objects.
  for (
    const owner of [
      promises,
      findBuiltin("node:timers")?.["promises"] as Members,
    ]
  ) {
    replaceAll(patches, "time", owner, PROMISES);
    replaceAll(patches, "time", owner?.["scheduler"], SCHEDULER);
  }
  replaceAll(patches, "time", globalMember("Deno"), DENO);
  const timeout: InsteadOfTime = (time, native, [ms]) =>
    Number(ms) >= 0 && Number(ms) <= Number.MAX_SAFE_INTEGER
      ? abortAfter(time, Number(ms))
      : native(ms);
  replaceAll(patches, "time", globalMember("AbortSignal"), { timeout });
}

/** Plans a timer, unless the platform has an error for the callback. */
function planned(
  plan: (time: VirtualTime, callback: Fn, rest: unknown[]) => unknown,
): InsteadOfTime {
  return (time, native, [callback, ...rest]) =>
    typeof callback === "function"
      ? plan(time, callback as Fn, rest)
      : native(callback, ...rest);
}

/** Does something with a timer of that kind; leaves the platform its own. */
function found<T extends Timeout | Immediate>(
  kind: new (...args: never[]) => T,
  use: (timer: T) => void,
): InsteadOfTime {
  return ({ timers }, native, [timer]) => {
    const found = timers.find(timer);
    if (found === undefined) return native(timer);
    // One of the other kind is left alone, as the platform does.
    return found instanceof kind ? use(found) : undefined;
  };
}

/** Returns a promise, unless the platform has an error for the options. */
function promised(
  at: number,
  promise: (
    time: VirtualTime,
    args: unknown[],
    options: TimerOptions,
  ) => unknown,
): InsteadOfTime {
  return (time, native, args) => {
    const options = args[at] ?? {};
    return areOptions(options) ? promise(time, args, options) : native(...args);
  };
}

function areOptions(options: unknown): options is TimerOptions {
  if (typeof options !== "object" || options === null) return false;
  const { signal, ref = true } = options as Record<string, unknown>;
  return typeof ref === "boolean" &&
    (signal === undefined || signal instanceof AbortSignal);
}

/** As `AbortSignal.timeout`: nobody waits for it. */
function abortAfter({ timers }: VirtualTime, ms: number): AbortSignal {
  const controller = new AbortController();
  const abort = () =>
    controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
  timers.setLimit(abort, ms, "AbortSignal.timeout");
  return controller.signal;
}

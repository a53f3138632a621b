import { globalMember, isObject, ownerOf } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import type { VirtualTime } from "./time.ts";
import { replaceAll, switchBy } from "./world.ts";

const NS_PER_S = 1_000_000_000n;

interface MeasureOptions {
  start?: unknown;
  end?: unknown;
  duration?: unknown;
}

/** Replaces what measures time. */
export function replaceMeasures(patches: Patches): void {
  const { performance } = globalThis;
  replaceAll(patches, "time", performance, {
    now: (time) => time.now(),
    mark: (time, native, [name, options]) =>
      native(name, { startTime: time.now(), ...options as object }),
    measure: (time, native, [name, from, end]) => {
      if (end !== undefined) return native(name, from, end);
      const options: MeasureOptions = isObject(from) ? from : { start: from };
      const isOpen = options.end === undefined &&
        options.duration === undefined;
      const { start = 0 } = options;
      return native(
        name,
        isOpen ? { ...options, start, end: time.now() } : options,
      );
    },
  });
  patches.replaceGetter(
    ownerOf(performance, "timeOrigin"),
    "timeOrigin",
    (before) =>
      switchBy("time", before, (time) => time.origin) as () => unknown,
  );
  patches.replace(globalMember("process"), "hrtime", (native) => {
    const made = switchBy("time", native, (time, native, [since]) => {
      if (since !== undefined && !Array.isArray(since)) return native(since);
      const ns = nanoseconds(time) - nanosecondsOf(since);
      return [Number(ns / NS_PER_S), Number(ns % NS_PER_S)];
    });
    if (made !== native) {
      const { bigint } = native as { bigint: unknown };
      const value = switchBy("time", bigint, nanoseconds);
      Object.defineProperty(made, "bigint", { value, configurable: true });
    }
    return made;
  });
}

function nanoseconds(time: VirtualTime): bigint {
  return BigInt(Math.round(time.now() * 1e6));
}

/** Reads what `process.hrtime` has returned. */
function nanosecondsOf([s = 0, ns = 0]: number[] = []): bigint {
  return BigInt(s) * NS_PER_S + BigInt(ns);
}

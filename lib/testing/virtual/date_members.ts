import { type Fn, globalMember, isObject } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import type { VirtualTime } from "./time.ts";
import {
  currentWorld,
  type Instead,
  isSwitched,
  keepSwitch,
  replaceAll,
  switchBy,
  switchOf,
} from "./world.ts";

type InsteadOfTime = Instead<VirtualTime>;

/** Replaces what tells the date. */
export function replaceDates(patches: Patches): void {
  const native = Date;
  replaceAll(patches, "time", native, { now: (time) => time.date() });
  patches.replace(globalThis, "Date", dateInstead);
  patches.replace(native.prototype, "constructor", dateInstead);
  replaceIntl(patches);
  replaceTemporal(patches);
}

/** Returns the class that makes dates of the run's time. */
function dateInstead(native: unknown): unknown {
  if (isSwitched(native)) return native;
  const Native = native as DateConstructor;
  const made = switchOf(native as Fn);
  if (made !== undefined) return made;
  const after = function (...args: unknown[]): unknown {
    const time = currentWorld()?.time;
    // Without `new` it returns text, whatever the arguments.
    if (new.target === undefined) {
      return time === undefined ? Native() : `${new Native(time.date())}`;
    }
    const given = args.length === 0 && time !== undefined
      ? [time.date()]
      : args;
    return Reflect.construct(Native, given, new.target);
  };
  after.prototype = Native.prototype;
  return keepSwitch(native as Fn, after);
}

function replaceIntl(patches: Patches): void {
  const formats = Intl.DateTimeFormat.prototype;
  patches.replaceGetter(
    formats,
    "format",
    (before) =>
      switchBy("time", before, (time, native) => {
        const format = native() as (date: unknown) => string;
        return (date: unknown) => format(date ?? time.date());
      }) as () => unknown,
  );
  replaceAll(patches, "time", formats, {
    formatToParts: (time, native, [date]) => native(date ?? time.date()),
  });
}

interface Instant {
  toZonedDateTimeISO(zone: unknown): Zoned;
}
interface Zoned {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

/** Only where there is a `Temporal`. */
function replaceTemporal(patches: Patches): void {
  const instants = globalMember("Temporal", "Instant") as
    | { fromEpochMilliseconds(ms: number): Instant }
    | undefined;
  const now = globalMember("Temporal", "Now");
  const zone = () => (now as { timeZoneId(): string }).timeZoneId();
  const instant = (time: VirtualTime) =>
    instants!.fromEpochMilliseconds(time.date());
  const zoned = (time: VirtualTime, [given = zone()]: unknown[]) =>
    instant(time).toZonedDateTimeISO(given);
  const members: Record<string, InsteadOfTime> = {
    instant,
    zonedDateTimeISO: (time, _, args) => zoned(time, args),
    plainDateTimeISO: (time, _, args) => zoned(time, args).toPlainDateTime(),
    plainDateISO: (time, _, args) => zoned(time, args).toPlainDate(),
    plainTimeISO: (time, _, args) => zoned(time, args).toPlainTime(),
  };
  if (isObject(now)) replaceAll(patches, "time", now, members);
}

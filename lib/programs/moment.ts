import { quote } from "../errors.ts";
import { milliseconds, UsageError } from "./options.ts";

const MOMENT =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Reads a moment: a time before now, such as `90s`, `1h` or `7d`, or a date, with
 * a time if it has one. It is in UTC, as all times that the programs print, unless
 * it ends with another offset, such as `+02:00`.
 *
 * @param name The option, for the message of the error.
 * @throws {UsageError} It has another form, or there is no such date.
 */
export function moment<T extends string | undefined>(
  name: string,
  text: T,
): Date | (T & undefined) {
  if (text === undefined) return undefined as T & undefined;
  const ago = milliseconds(text);
  const date = Number.isNaN(ago) ? dateOf(text) : new Date(Date.now() - ago);
  if (date !== undefined && !Number.isNaN(date.getTime()) && !(ago < 0)) {
    return date;
  }
  throw new UsageError(
    `--${name} ${
      quote(text)
    }: must be a time ago, such as 1h or 7d, or a moment, such as 2026-11-23 or 2026-11-23T09:30Z`,
  );
}

function dateOf(text: string): Date | undefined {
  const [, day, time = "00:00", offset = "Z"] = MOMENT.exec(text) ?? [];
  if (day === undefined) return undefined;
  const utc = new Date(`${day}T${time}Z`);
  // Such as February 30, which is taken for March 2.
  if (Number.isNaN(utc.getTime())) return undefined;
  if (!utc.toISOString().startsWith(`${day}T${time.slice(0, 5)}`)) {
    return undefined;
  }
  const [, sign, hours = "0", minutes = "0"] =
    /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new Date(utc.getTime() + (sign === "-" ? ms : -ms));
}

import type { CarrierSource } from "../carrier.ts";
import {
  milliseconds,
  outOfRange,
  requireFunction,
  requireOptions,
  requireSignal,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { cannot, fieldsOf, withFields } from "../errors.ts";
import { reporter } from "../warnings.ts";
import { WINDOW_LIMIT } from "./question_window.ts";
import type { MeasuredPacket } from "./result.ts";
import { STAMP_SIZE } from "./stamp.ts";

/** How a path is measured. */
export interface MeasureOptions {
  /** How many datagrams leave per second. @default {100} */
  rate?: number | undefined;
  /**
   * The rate as bits per second instead, of the datagrams' own bytes, without IP
   * and UDP headers.
   * @default {unused}
   */
  bitsPerSecond?: number | undefined;
  /**
   * The lengths of the datagrams in bytes, which take turns: from 44 to 65,507.
   * `"imix"` is the simple Internet mix: of each 12 packets 7 have 40 bytes with
   * their IP and UDP headers (here 72, as STAMP has 44), 4 have 576, and one has
   * 1500.
   * @default {44}
   */
  size?: number | readonly number[] | "imix" | undefined;
  /**
   * How long datagrams leave, in milliseconds; `Infinity` until it is stopped.
   * @default {10000}
   */
  durationMs?: number | undefined;
  /** How many datagrams leave, instead of `durationMs`. @default {unused} */
  count?: number | undefined;
  /**
   * How many leave together; the rate stays the same.
   * @default {1}
   */
  burst?: number | undefined;
  /**
   * The first part that is not counted, in milliseconds, while caches and
   * connections warm up. It comes before `durationMs` and `count`.
   * @default {0}
   */
  omitMs?: number | undefined;
  /**
   * How long an answer may take, in milliseconds; one that comes later is `late`.
   * So long the measurement goes on after the last question.
   * @default {2000}
   */
  waitMs?: number | undefined;
  /** How long an interval is, in milliseconds. @default {1000} */
  intervalMs?: number | undefined;
  /**
   * Whether the result has one-way delays, as far as the clocks can be compared.
   * @default {false}
   */
  oneWay?: boolean | undefined;
  /** The carrier, as for `connect`. @default {by the scheme of the address} */
  carrier?: CarrierSource | undefined;
  /** Stops the measurement when it aborts, as `stop` does. */
  signal?: AbortSignal | undefined;
  /**
   * The identifier of the session (RFC 8972, section 3), from 1 to 65,535. The
   * part that `omitMs` omits has the one before, or 65,535.
   * @default {chosen at random}
   */
  ssid?: number | undefined;
  /**
   * Called with each question, in their order, when its fate is known: after
   * twice `waitMs`, or at the end. Those that `omitMs` omits are left out.
   * @default {nothing}
   */
  onPacket?: ((packet: MeasuredPacket) => void) | undefined;
  /**
   * Called with the errors of `onPacket`, and of receiving. The measurement goes
   * on.
   * @default {prints each kind of error once to standard error}
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** Options as they were when they were read, checked. */
export interface MeasureSettings {
  /** Datagrams per second. */
  readonly rate: number;
  readonly sizes: readonly number[];
  /** How many leave at most, those that are omitted included. */
  readonly count: number;
  /** The first of them that are not counted. */
  readonly omitted: number;
  readonly burst: number;
  readonly waitMs: number;
  readonly intervalMs: number;
  readonly oneWay: boolean;
  readonly carrier: CarrierSource | undefined;
  readonly signal: AbortSignal | undefined;
  readonly ssid: number | undefined;
  readonly onPacket: ((packet: MeasuredPacket) => void) | undefined;
  readonly report: (error: unknown) => void;
}

const ACTION = "measure";
const LARGEST_SIZE = 65_507;
const MAX_SIZES = 10_000;
const MAX_COUNT = 2 ** 48;
// Without IP and UDP headers, and no shorter than a STAMP packet; interleaved.
const [SMALL, MIDDLE, LARGE] = [STAMP_SIZE, 576 - 28, 1500 - 28];
const IMIX: readonly number[] = [
  ...[SMALL, MIDDLE, SMALL, SMALL, MIDDLE, SMALL],
  ...[LARGE, SMALL, MIDDLE, SMALL, SMALL, MIDDLE],
];

/**
 * Reads options once, and checks them.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or two exclude each other.
 */
export function readMeasureOptions(options: MeasureOptions): MeasureSettings {
  requireOptions(ACTION, options);
  const { carrier, signal, ssid, onPacket, onError } = options;
  const { oneWay = false, burst = 1 } = options;
  requireSignal(ACTION, signal);
  if (typeof oneWay !== "boolean") {
    throw wrongType(ACTION, "oneWay", "true or false", oneWay);
  }
  for (const [name, value] of Object.entries({ onPacket, onError })) {
    if (value !== undefined) requireFunction(ACTION, name, value);
  }
  if (ssid !== undefined) wholeNumber(ACTION, "ssid", ssid, 1, 65_535);
  wholeNumber(ACTION, "burst", burst, 1, 10_000);
  const sizes = readSizes(options.size);
  const rate = readRate(options, sizes);
  const omitMs = readMs("omitMs", options.omitMs, 0, 0);
  const waitMs = readMs("waitMs", options.waitMs, 1, 2000);
  const intervalMs = readMs("intervalMs", options.intervalMs, 1, 1000);
  if (2 * waitMs * rate / 1000 + burst > WINDOW_LIMIT) {
    const most = Math.floor((WINDOW_LIMIT - burst) / rate * 500);
    throw outOfRange(
      ACTION,
      "waitMs",
      `at most ${most} at ${Math.round(rate)} per second, for the memory`,
      waitMs,
    );
  }
  const omitted = steps(omitMs, rate, burst);
  return {
    ...{ rate, sizes, burst, waitMs, intervalMs, omitted },
    count: Math.min(omitted + readCount(options, rate, burst), MAX_COUNT),
    ...{ oneWay, carrier, signal, ssid, onPacket },
    report: reporter(onError),
  };
}

function readMs(
  name: string,
  value: number | undefined,
  from: number,
  byDefault: number,
): number {
  const ms = value ?? byDefault;
  return milliseconds(ACTION, name, ms, from) ??
    fail(outOfRange(ACTION, name, "finite", ms));
}

function readSizes(size: MeasureOptions["size"] = STAMP_SIZE): number[] {
  if (size === "imix") return [...IMIX];
  const given: unknown = size;
  if (typeof given === "number") return [readSize(given)];
  if (!Array.isArray(given) || given.length === 0) {
    const wanted = 'a number of bytes, a list of them, or "imix"';
    throw wrongType(ACTION, "size", wanted, given);
  }
  if (given.length > MAX_SIZES) {
    const wanted = `a list of at most ${MAX_SIZES}`;
    throw outOfRange(ACTION, "size", wanted, given);
  }
  return Array.from(given, readSize);
}

function readSize(size: unknown): number {
  return wholeNumber(ACTION, "size", size, STAMP_SIZE, LARGEST_SIZE);
}

/** Returns the datagrams per second. */
function readRate(
  { rate, bitsPerSecond }: MeasureOptions,
  sizes: readonly number[],
): number {
  exclude({ rate, bitsPerSecond });
  for (const [name, value] of Object.entries({ rate, bitsPerSecond })) {
    if (value === undefined) continue;
    if (typeof value === "number" && value > 0 && value < 1e12) continue;
    throw outOfRange(ACTION, name, "a number above 0 and below 1e12", value);
  }
  if (bitsPerSecond === undefined) return rate ?? 100;
  const bytes = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  return bitsPerSecond / 8 / bytes;
}

function readCount(
  { count, durationMs }: MeasureOptions,
  rate: number,
  burst: number,
): number {
  exclude({ count, durationMs });
  if (count !== undefined) {
    return wholeNumber(ACTION, "count", count, 1, Infinity);
  }
  const ms = milliseconds(ACTION, "durationMs", durationMs ?? 10_000, 1);
  return ms === undefined ? Infinity : steps(ms, rate, burst);
}

/** How many datagrams are planned to leave before so many milliseconds are over. */
function steps(ms: number, rate: number, burst: number): number {
  return Math.ceil(ms * rate / 1000 / burst - 1e-9) * burst;
}

/** Rejects two options that say the same in two ways. */
function exclude(options: Record<string, unknown>): void {
  const names = Object.keys(options);
  if (names.some((name) => options[name] === undefined)) return;
  const text = cannot(ACTION, `${names.join(" and ")}: give one of them`);
  throw withFields(new TypeError(text), fieldsOf(ACTION));
}

function fail(error: Error): never {
  throw error;
}

import { quote } from "../../errors.ts";
import type { Delays, MeasureResult } from "../../measure/result.ts";
import { UsageError } from "../options.ts";

/** A condition on a result, as `--assert` gives it. */
export interface Assertion {
  /** As it was typed, such as `loss<1%`. */
  readonly text: string;
  /**
   * Returns what was measured if the condition does not hold, as in `loss 2.5%`;
   * `undefined` if it holds.
   */
  readonly failure: (result: MeasureResult) => string | undefined;
}

type Operator = "<" | "<=" | ">" | ">=";

/** A quantity that can be asserted. */
interface Quantity {
  /** The units that it can be given in. */
  readonly units: Readonly<Record<string, number>>;
  /** Its value in the first of the units; `NaN` if the result does not say it. */
  readonly of: (result: MeasureResult) => number;
}

const PERCENT = { "%": 1 };
const TIMES = { ms: 1, us: 1e-3, s: 1000 };
const DELAYS = {
  min: "min",
  mean: "mean",
  p50: "p50",
  p90: "p90",
  p99: "p99",
  "p99.9": "p999",
  "p99.99": "p9999",
  max: "max",
} as const satisfies Readonly<Record<string, keyof Delays>>;

const QUANTITIES: ReadonlyMap<string, Quantity> = new Map([
  ["loss", percent(({ sent, received }) => [sent - received, sent])],
  ["loss-out", percent(lostOut)],
  ["loss-back", percent(lostBack)],
  [
    "duplicates",
    percent((r) => [r.duplicates.out + r.duplicates.back, r.sent]),
  ],
  [
    "reordered",
    percent((r) => [r.reordered.out + r.reordered.back, r.received]),
  ],
  ...Object.entries(DELAYS).map(([name, member]) =>
    [name, time(({ rttMs }) => rttMs.count > 0 ? rttMs[member] : NaN)] as const
  ),
  ["jitter", time(jitter)],
]);

const NAMES = [...QUANTITIES.keys()].join(", ");

/**
 * Reads `--assert`, such as `loss<1%,p99<20ms`. A quantity that a result does not
 * have, such as a delay if nothing was answered, fails each condition on it.
 *
 * @throws {UsageError} It is not a list of conditions.
 */
export function readAssertions(text: string): Assertion[] {
  return text.split(",").map((part) => readOne(part.trim()));
}

function readOne(text: string): Assertion {
  const [, name = "", operator = "", number = "", unit = ""] =
    /^([a-z][a-z0-9.-]*)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)$/
      .exec(text) ?? [];
  if (operator === "") {
    throw wrong(text, "must be a condition, such as loss<1% or p99<20ms");
  }
  const quantity = QUANTITIES.get(name);
  if (quantity === undefined) {
    throw wrong(text, `the name must be one of ${NAMES}`);
  }
  const { units, of } = quantity;
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const wanted = Object.keys(units).join(", ");
    throw wrong(
      text,
      `the unit of ${name} must be ${wanted.replace(", ", " or ")}`,
    );
  }
  const limit = Number(number) * factor;
  const [shown = ""] = Object.keys(units);
  return {
    text,
    failure(result) {
      const value = of(result);
      if (holds(value, operator as Operator, limit)) return undefined;
      return Number.isNaN(value)
        ? `${name} is unknown`
        : `${name} ${rounded(value)}${shown}`;
    },
  };
}

function holds(value: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
  }
}

/**
 * Returns a line for each condition that does not hold. An invalid result fails
 * as such, whatever its numbers are: they cannot be trusted.
 */
export function failures(
  assertions: readonly Assertion[],
  result: MeasureResult,
): string[] {
  if (assertions.length === 0) return [];
  const failed = assertions.flatMap(({ text, failure }) => {
    const measured = failure(result);
    return measured === undefined
      ? []
      : [`assertion failed: ${text}, measured: ${measured}`];
  });
  return result.valid ? failed : [
    ...failed,
    `assertion failed: the run is invalid: ${result.invalid.join("; ")}`,
  ];
}

function percent(
  parts: (result: MeasureResult) => [part: number, whole: number],
): Quantity {
  return {
    units: PERCENT,
    of(result) {
      const [part, whole] = parts(result);
      return whole > 0 ? part / whole * 100 : NaN;
    },
  };
}

function time(of: (result: MeasureResult) => number): Quantity {
  return { units: TIMES, of };
}

/** Of what left, what did not reach the reflector. */
function lostOut({ sent, lost }: MeasureResult): [number, number] {
  const { ownSend, out, reflector, unknown } = lost;
  return [unknown > 0 ? NaN : out + reflector, sent - ownSend];
}

/** Of what the reflector got, what did not come back. */
function lostBack({ sent, lost }: MeasureResult): [number, number] {
  const { ownSend, out, reflector, back, ownReceive, unknown } = lost;
  return [
    unknown > 0 ? NaN : back + ownReceive,
    sent - ownSend - out - reflector,
  ];
}

/** That of the direction in which there is more. */
function jitter({ received, jitterMs }: MeasureResult): number {
  // One delay does not vary.
  if (received < 2) return NaN;
  return Math.max(jitterMs.out.rfc3550, jitterMs.back.rfc3550);
}

/** As exact as the comparison, without the noise of floating point. */
function rounded(value: number): string {
  return `${Number(value.toPrecision(6))}`;
}

function wrong(text: string, wanted: string): UsageError {
  return new UsageError(`--assert ${quote(text)}: ${wanted}`);
}

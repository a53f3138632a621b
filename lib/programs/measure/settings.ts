import { type SchemeAddr, schemeOf } from "../../addr.ts";
import { toDestination } from "../../address/address.ts";
import { quote } from "../../errors.ts";
import { binaryCarrierSettings } from "../binary_carrier.ts";
import {
  type CarrierSettings,
  largestMessageTo,
  toCarry,
} from "../carriers.ts";
import { type Needs, toConnect, together } from "../needs.ts";
import {
  duration,
  type Given,
  isGiven,
  notBoth,
  oneOf,
  type Options,
  path,
  requires,
  UsageError,
  wholeNumber,
} from "../options.ts";
import { pageSettings, toServe } from "../page_settings.ts";
import type { Purpose } from "../permissions.ts";
import type { PageSettings } from "../server_settings.ts";
import { toCountSystemDrops } from "../system_drops.ts";
import { STAMP_SIZE } from "../../measure/stamp.ts";
import { type Assertion, readAssertions } from "./assertions.ts";
import type { MEASURE_OPTIONS } from "./help.ts";
import { readSize, readTrafficRate, type TrafficRate } from "./traffic.ts";

const FORMATS = ["text", "json", "csv"] as const;
const DEFAULT_PORT_HINT = "such as 127.0.0.1:62862";

/** The options of a command line, checked. */
export interface MeasureSettings {
  to: SchemeAddr;
  carrier: CarrierSettings;
  rate: TrafficRate | undefined;
  size: number[] | "imix" | undefined;
  durationMs: number;
  burst: number | undefined;
  omitMs: number | undefined;
  waitMs: number | undefined;
  oneWay: boolean;
  format: typeof FORMATS[number];
  /** Files, which are created. */
  packets: string | undefined;
  plot: string | undefined;
  page: PageSettings | undefined;
  assertions: readonly Assertion[];
  search: SearchSettings | undefined;
  trace: boolean;
  quiet: boolean;
}

/** How `--search` tries rates. */
export interface SearchSettings {
  maxLoss: number | undefined;
  trialMs: number | undefined;
}

const DURATION_MS = 10_000;
// What belongs to one measurement, and not to the trials of a search.
const NOT_IN_SEARCH = [
  "duration",
  "one-way",
  "packets",
  "plot",
  "page",
  "assert",
] as const;

/**
 * Checks the command line.
 *
 * @throws {UsageError} Options do not fit together, or a value is wrong.
 * @throws {InvalidAddressError} The address is wrong.
 */
export function measureSettings(
  { values, flags, rest }: Options<typeof MEASURE_OPTIONS>,
): MeasureSettings {
  const given: Given = { ...values, ...flags };
  requires(given, "max-loss", "search");
  requires(given, "trial", "search");
  requires(given, "page-token-file", "page");
  if (flags.search) {
    for (const name of NOT_IN_SEARCH) notBoth(given, "search", name);
  }
  const to = destination(rest);
  const carrier = binaryCarrierSettings(to, { ...values, ...flags });
  const format = oneOf("format", values.format, FORMATS, "text");
  if (flags.search && format === "csv") {
    throw new UsageError("--search: its --format must be text or json");
  }
  return {
    to,
    carrier,
    rate: readTrafficRate("rate", values.rate),
    size: readSize(values.size, STAMP_SIZE, largestMessageTo(carrier, to)),
    durationMs: duration("duration", values.duration, DURATION_MS),
    burst: wholeNumber("burst", values.burst, 1, undefined, 10_000),
    omitMs: duration("omit", values.omit, undefined),
    waitMs: duration("wait", values.wait, undefined),
    oneWay: flags["one-way"],
    format,
    packets: path("packets", values.packets),
    plot: path("plot", values.plot),
    page: pageSettings(
      values.page,
      path("page-token-file", values["page-token-file"]),
      [],
    ),
    assertions: values.assert === undefined
      ? []
      : readAssertions(values.assert),
    search: isGiven(given, "search")
      ? {
        maxLoss: percentage("max-loss", values["max-loss"]),
        trialMs: duration("trial", values.trial, undefined),
      }
      : undefined,
    trace: flags.trace,
    quiet: flags.quiet,
  };
}

function destination(rest: readonly string[]): SchemeAddr {
  const [text] = rest;
  if (text === undefined) {
    throw new UsageError(`ADDRESS is missing, ${DEFAULT_PORT_HINT}`);
  }
  if (rest.length > 1) {
    throw new UsageError(`expected one ADDRESS, got ${rest.length}`);
  }
  const address = toDestination(text);
  if ("path" in address) {
    throw new UsageError(`${quote(text)}: a unix: server cannot reply`);
  }
  return address;
}

function percentage(
  name: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const [, number] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const part = Number(number) / 100;
  if (part >= 0 && part < 1) return part;
  throw new UsageError(
    `--${name} ${quote(text)}: must be from 0% to below 100%, such as 0.1%`,
  );
}

/** Returns the narrowest permissions that suffice, by their purposes. */
export function measurePurposes(settings: MeasureSettings): Purpose[] {
  const { to, carrier, packets, plot, page } = settings;
  const files = [packets, plot].filter((file) => file !== undefined);
  const needs: Needs = together(
    toConnect(to),
    toCarry(carrier),
    files.length > 0 ? { write: files } : {},
    toCountSystemDrops({ scheme: schemeOf(to), fast: carrier.fast }),
  );
  const purposes: Purpose[] = [["measure the path", needs]];
  if (page !== undefined) {
    purposes.push([`serve the page at ${page.listen}`, toServe(page)]);
  }
  return purposes;
}

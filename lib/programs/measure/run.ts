import { formatAddress } from "../../address/address.ts";
import { traced } from "../../carriers/traced.ts";
import { InvalidAddressError } from "../../errors.ts";
import { measure } from "../../measure/measure.ts";
import type { MeasureOptions } from "../../measure/options.ts";
import type { MeasureResult } from "../../measure/result.ts";
import { beforeAbort } from "../../promises.ts";
import { reasonOf, Warnings } from "../../warnings.ts";
import { clientCarrier } from "../carriers.ts";
import { UsageError } from "../options.ts";
import { readSecret } from "../secrets.ts";
import type { PageSettings } from "../server_settings.ts";
import { EXIT, onInterrupt, say } from "../program.ts";
import { failures } from "./assertions.ts";
import { Kept } from "./kept.ts";
import { Printed } from "./printed.ts";
import { REPORTS } from "./reports.ts";
import type { MeasurePage } from "./page.ts";
import type { MeasureSettings } from "./settings.ts";

/** Measures once, and returns the exit code. */
export async function runMeasurement(
  settings: MeasureSettings,
): Promise<number> {
  const { to, assertions, quiet, format, packets, plot, page } = settings;
  const interruption = new AbortController();
  const { signal } = interruption;
  using _ = onInterrupt(() => interruption.abort());
  const options = await trafficOptions(settings, signal);
  if (options === undefined) return EXIT.done;
  const hasOtherUse = packets !== undefined || plot !== undefined ||
    page !== undefined || assertions.length > 0;
  const printed = new Printed(!hasOtherUse);
  const report = REPORTS[format];
  const kept = await Kept.open(settings);
  let shown: MeasurePage | undefined;
  let result: MeasureResult | undefined;
  try {
    shown = page && await openPage(formatAddress(to), page);
    if (shown !== undefined) say(`page at ${shown.url}`);
    const measurement = measure(formatAddress(to), {
      ...options,
      durationMs: settings.durationMs,
      oneWay: settings.oneWay,
      onPacket: (packet) => kept.add(packet),
    });
    if (!quiet) say(`measuring ${formatAddress(to)}`);
    await printed.print(report.header(!quiet));
    for await (const interval of measurement) {
      shown?.interval(interval);
      if (!quiet) await printed.print(report.interval(interval));
    }
    result = await measurement.result;
  } catch (error) {
    // It was interrupted before its socket was open.
    if (signal.aborted && error === signal.reason) return EXIT.done;
    throw asUsage(error);
  } finally {
    await Promise.all([kept.close(result), shown?.close(result)]);
  }
  await printed.print(report.result(result, kept.delays));
  await printed.flush();
  if (kept.totals !== undefined && !quiet) say(kept.totals);
  const failed = failures(assertions, result);
  failed.forEach(say);
  if (failed.length > 0) return EXIT.failed;
  return signal.aborted ? EXIT.done : codeOf(result);
}

async function openPage(
  to: string,
  { listen, token }: PageSettings,
): Promise<MeasurePage> {
  // It takes long to load.
  const { MeasurePage } = await import("./page.ts");
  const secret = await readSecret(token);
  return new MeasurePage(to, { listen, token: secret, onTrouble: say });
}

/** Returns what the library rejects, as bad usage, or any other error unchanged. */
export function asUsage(error: unknown): unknown {
  const isOption = error instanceof RangeError || error instanceof TypeError;
  return isOption && !(error instanceof InvalidAddressError)
    ? new UsageError(error.message)
    : error;
}

/**
 * What a measurement and each trial of a search have in common; `undefined` if the
 * signal aborted while files were read.
 */
export async function trafficOptions(
  settings: MeasureSettings,
  signal: AbortSignal,
): Promise<MeasureOptions | undefined> {
  const { carrier, size, burst, omitMs, waitMs, rate, trace } = settings;
  const opening = clientCarrier(carrier);
  await beforeAbort(opening, signal);
  if (signal.aborted) return undefined;
  const source = await opening;
  const warnings = new Warnings();
  return {
    ...{ size, burst, omitMs, waitMs, signal },
    ...rate,
    carrier: trace ? traced(source) : source,
    onError: (error) => warnings.onceAlike(reasonOf(error)),
  };
}

function codeOf({ received, lost }: MeasureResult): number {
  if (lost.ownSend > 0) return EXIT.notSent;
  return received === 0 ? EXIT.timedOut : EXIT.done;
}

import { formatAddress } from "../../address/address.ts";
import { type RateSearchResult, searchRate } from "../../measure/search.ts";
import { EXIT, onInterrupt, say } from "../program.ts";
import { Printed } from "./printed.ts";
import { jsonLine } from "./reports.ts";
import { asUsage, trafficOptions } from "./run.ts";
import { describeSearch, describeTrial } from "./search_text.ts";
import type { MeasureSettings, SearchSettings } from "./settings.ts";

/** Searches for the highest rate, and returns the exit code. */
export async function runSearch(
  settings: MeasureSettings,
  { maxLoss, trialMs }: SearchSettings,
): Promise<number> {
  const { to, format, quiet } = settings;
  const interruption = new AbortController();
  const { signal } = interruption;
  using _ = onInterrupt(() => interruption.abort());
  const options = await trafficOptions(settings, signal);
  if (options === undefined) return EXIT.done;
  const printed = new Printed(true);
  const isText = format === "text";
  if (!quiet) say(`searching the rate to ${formatAddress(to)}`);
  const failing = Promise.withResolvers<never>();
  const searching = searchRate(formatAddress(to), {
    ...options,
    ...{ maxLoss, trialMs },
    onTrial(trial) {
      if (quiet) return;
      const line = isText ? describeTrial(trial) : jsonLine(trial);
      printed.print([line]).catch(failing.reject);
    },
  });
  let result: RateSearchResult;
  try {
    result = await Promise.race([searching, failing.promise]);
  } catch (error) {
    // It was interrupted before its socket was open.
    if (signal.aborted && error === signal.reason) return EXIT.done;
    throw asUsage(error);
  }
  await printed.print(isText ? describeSearch(result, to) : [jsonLine(result)]);
  await printed.flush();
  return result.confirmed || signal.aborted ? EXIT.done : EXIT.timedOut;
}

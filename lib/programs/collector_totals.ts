import type { CollectorStats } from "../sink.ts";
import { isReplying, type ServerSettings } from "./server_settings.ts";
import { describeSystemDrops } from "./system_drops.ts";
import { describeReceived, describeSent } from "./totals.ts";

/** Returns the counts of a collector as lines, in the server's format. */
export function collectorTotals(
  stats: CollectorStats,
  settings: ServerSettings,
): string[] {
  const { kernelDrops } = stats;
  if (settings.format === "json") return [JSON.stringify(stats)];
  const received = describeReceived(stats);
  // Over offload a run that was dropped counts as one.
  const isLeast = settings.carrier.fast && (kernelDrops ?? 0) > 0;
  const dropped = isLeast ? `at least ${kernelDrops}` : `${kernelDrops}`;
  const { print, ...others } = stats.sinks;
  // That every message was printed is no news.
  const isNews = print?.["dropped"] || print?.["waiting"];
  const sinks = isNews ? { ...others, print } : others;
  return [
    kernelDrops === undefined
      ? received
      : `${received}, ${describeSystemDrops(kernelDrops, dropped)}`,
    ...isReplying(settings) ? [describeSent(stats)] : [],
    ...Object.entries(sinks).map(([name, counts]) => {
      const parts = Object.entries(counts).map(([what, n]) =>
        `${n} ${spaced(what)}`
      );
      return `${name}: ${parts.join(", ")}`;
    }),
  ];
}

/** Turns "notStored" into "not stored". */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

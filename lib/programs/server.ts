import { formatAddress } from "../address/address.ts";
import { traced } from "../carriers/traced.ts";
import { collect, type Collector } from "../collect.ts";
import { bind } from "../open.ts";
import type { CollectorStats } from "../sink.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { serverCarrier } from "./carriers.ts";
import { collectorTotals } from "./collector_totals.ts";
import { parseOptions } from "./options.ts";
import { showProgress } from "./progress.ts";
import { replayProgress } from "./replay_progress.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, onInterrupt, say } from "./program.ts";
import { serverNeeds } from "./server_needs.ts";
import {
  HELP,
  isReplying,
  OPTIONS,
  type ServerSettings,
  serverSettings,
} from "./server_options.ts";
import { openSinks } from "./server_sinks.ts";
import { areSystemDropsCounted } from "./system_drops.ts";
import { describeWithheld } from "./totals.ts";

// How soon the user sees that replies are withheld, without a line for each.
const WITHHELD_MS = 500;

/** The program `server`. Returns its exit code. */
export async function server(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = serverSettings(options);
  requirePermissions(
    `listen on ${formatAddress(settings.address)}`,
    serverNeeds(settings),
    { script, args, url: settings.publish },
  );
  return await run(settings);
}

async function run(settings: ServerSettings): Promise<number> {
  const { address, quiet, statsMs, socket: limits } = settings;
  const { carrier, own } = await serverCarrier(
    settings.carrier,
    { maxSize: limits.maxSize, replies: isReplying(settings) },
  );
  await using socket = bind(formatAddress(address), {
    ...limits,
    carrier: settings.trace ? traced(carrier) : carrier,
  });
  await socket.opened;
  const warnings = new Warnings();
  // The page asks for the stats of a collector that is given the page.
  const started = Promise.withResolvers<Collector>();
  const stats = async () => {
    const counts = await (await started.promise).stats();
    // What is not known is said, also by the page.
    return areSystemDropsCounted(settings.carrier)
      ? { ...counts, kernelDrops: counts.kernelDrops ?? null }
      : counts;
  };
  const { sinks, printer, firstId, url } = await openSinks(settings, {
    socket,
    own,
    stats,
    warnings,
  });
  let broken: Error | undefined;
  const collector = collect(socket, {
    ...settings,
    sinks,
    firstId,
    onError: (error, sink) => {
      if (sink !== printer) return warnings.once(error.message);
      broken ??= error;
      collector.stop();
    },
  });
  started.resolve(collector);
  using _ = onInterrupt(() => void collector.stop());
  if (!quiet && url !== undefined) say(`page at ${url}`);
  if (!quiet) say(`listening on ${formatAddress(socket.addr)}`);
  using progress = showProgress(replayProgress(sinks), quiet);
  using _stats = every(
    statsMs,
    async () => print(await stats(), settings),
    warnings,
  );
  using _withheld = every(WITHHELD_MS, () => {
    for (const line of describeWithheld(socket.stats)) warnings.once(line);
  }, warnings);
  const end = await collector.finished;
  progress[Symbol.dispose]();
  if (!quiet) print(await stats(), settings);
  if (broken !== undefined) throw broken;
  return end === "stopped" ? EXIT.done : exitCode(socket, end);
}

function exitCode(socket: DatagramSocket, end: string): number {
  if (socket.stats.sendFailed > 0) return EXIT.notSent;
  return end === "timeout" ? EXIT.timedOut : EXIT.done;
}

/** Calls back again and again, until it is disposed of. Failures are reported. */
function every(
  ms: number | undefined,
  callback: () => void | Promise<void>,
  warnings: Warnings,
): Disposable {
  const call = async () => {
    try {
      await callback();
    } catch (error) {
      warnings.once(reasonOf(error));
    }
  };
  const timer = ms === undefined ? undefined : setInterval(call, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Prints the totals on standard error, in the format of the messages. */
function print(stats: CollectorStats, settings: ServerSettings): void {
  for (const line of collectorTotals(stats, settings)) say(line);
}

import { formatAddress } from "../address/address.ts";
import { collect, type Collector } from "../collect.ts";
import { beforeAbort } from "../promises.ts";
import type { CollectorStats } from "../sink.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { collectorTotals } from "./collector_totals.ts";
import { every } from "./every.ts";
import { parseOptions } from "./options.ts";
import { describeDropsHint } from "./receive_buffer.ts";
import { showProgress } from "./progress.ts";
import { replayProgress } from "./replay_progress.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, say } from "./program.ts";
import { ServerEnd } from "./server_end.ts";
import { serverPurposes } from "./server_needs.ts";
import { HELP, OPTIONS, serverSettings } from "./server_options.ts";
import type { ServerSettings } from "./server_settings.ts";
import { Opening } from "./opening.ts";
import { areSystemDropsCounted } from "./system_drops.ts";
import { describeWithheld } from "./totals.ts";
import { withUnread } from "./unread.ts";

// How soon the user sees that replies are withheld, without a line for each.
const WITHHELD_MS = 500;
// How soon, that the system drops messages. Without offload each look runs `cat`.
const DROPS_MS = 5000;

/** The program `server`. Returns its exit code. */
export async function server(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = serverSettings(options);
  requirePermissions(serverPurposes(settings), {
    script,
    args,
    url: settings.publish?.url,
  });
  return await run(settings);
}

async function run(settings: ServerSettings): Promise<number> {
  const { quiet, statsMs } = settings;
  using end = new ServerEnd(settings);
  const warnings = new Warnings();
  const warn = (error: unknown) => warnings.onceAlike(reasonOf(error));
  // The page asks for the stats of a collector that is given the page.
  const started = Promise.withResolvers<Collector>();
  // What is not known is said, also by the page.
  const complete = (counts: CollectorStats) =>
    areSystemDropsCounted(settings.carrier)
      ? { ...counts, kernelDrops: counts.kernelDrops ?? null }
      : counts;
  const stats = async () => complete(await (await started.promise).stats());
  const opening = new Opening(settings, { stats, warn });
  await beforeAbort(opening.done, end.signal);
  if (end.signal.aborted) {
    const counts = await opening.giveUp();
    if (!quiet) print(complete(counts), settings);
    return end.code ?? EXIT.done;
  }
  const { socket, sinks, printer, firstId, url } = await opening.done;
  await using _socket = socket;
  let broken: Error | undefined;
  let isOver = false;
  const collector = collect(socket, {
    ...settings,
    sinks,
    firstId,
    onError: (error, sink) => {
      if (sink !== printer) return warn(error);
      broken ??= error;
      started.promise.then((collector) => collector.stop());
    },
  });
  end.stops(collector);
  started.resolve(collector);
  if (!quiet && url !== undefined) say(`page at ${url}`);
  if (!quiet) say(`listening on ${formatAddress(socket.addr)}`);
  let isHinted = false;
  const hint = async () => {
    const { kernelDrops } = isHinted ? {} : await stats();
    // Asking takes a moment: a call at the end does not wait for another one.
    if (!kernelDrops || isHinted) return;
    isHinted = true;
    say(describeDropsHint(kernelDrops, settings.carrier.receiveBuffer));
  };
  using progress = showProgress(replayProgress(sinks), quiet);
  using _stats = every(
    statsMs,
    async () => {
      const counts = await stats();
      // The totals come last.
      if (!isOver) print(counts, settings);
    },
    warn,
  );
  using _drops = every(DROPS_MS, hint, warn);
  using _withheld = every(WITHHELD_MS, () => {
    for (const line of describeWithheld(socket.stats)) warnings.once(line);
  }, warn);
  const reason = await collector.finished;
  isOver = true;
  progress[Symbol.dispose]();
  await hint();
  const unread = await end.close(socket);
  if (!quiet) print(withUnread(await stats(), unread), settings);
  if (broken !== undefined) throw broken;
  if (end.code !== undefined) return end.code;
  return reason === "stopped" ? EXIT.done : exitCode(socket, reason);
}

function exitCode(socket: DatagramSocket, reason: string): number {
  if (socket.stats.sendFailed > 0) return EXIT.notSent;
  return reason === "timeout" ? EXIT.timedOut : EXIT.done;
}

/** Prints the totals on standard error, in the format of the messages. */
function print(stats: CollectorStats, settings: ServerSettings): void {
  for (const line of collectorTotals(stats, settings)) say(line);
}

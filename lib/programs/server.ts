import { formatAddress } from "../address/address.ts";
import { collect, type Collector } from "../collect.ts";
import { END_MS } from "../collector.ts";
import { beforeAbort } from "../promises.ts";
import type { CollectorStats } from "../sink.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { collectorTotals } from "./collector_totals.ts";
import { every } from "./every.ts";
import { parseOptions } from "./options.ts";
import { showProgress } from "./progress.ts";
import { replayProgress } from "./replay_progress.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, exit, isAnswered, onInterrupt, say } from "./program.ts";
import { serverPurposes } from "./server_needs.ts";
import {
  HELP,
  OPTIONS,
  type ServerSettings,
  serverSettings,
} from "./server_options.ts";
import { Opening } from "./opening.ts";
import { areSystemDropsCounted } from "./system_drops.ts";
import { describeWithheld } from "./totals.ts";
import { receiveUnread, withUnread } from "./unread.ts";

// What a user who waits for the end should know.
const ENDING =
  "ending: replies and sinks have some seconds (see --end-timeout);" +
  " a second signal ends at once";
const ENDING_MS = 300;
// A second signal ends the program within this time, whatever hangs.
const AT_ONCE_MS = 1500;
// How long a connection is written at the end.
const LAST_MS = 500;
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
  requirePermissions(serverPurposes(settings), {
    script,
    args,
    url: settings.publish?.url,
  });
  return await run(settings);
}

async function run(settings: ServerSettings): Promise<number> {
  const { quiet, statsMs } = settings;
  const { endTimeoutMs = END_MS } = settings;
  const interruption = new AbortController();
  let collector: Collector | undefined = undefined;
  let codeAtOnce: number | undefined;
  let ending: ReturnType<typeof setTimeout> | undefined;
  let endsAt: number | undefined;
  let endAtOnce = () => {};
  using _ = onInterrupt(() => {
    interruption.abort();
    if (collector === undefined) return;
    collector.stop({ drain: true });
    endsAt = performance.now() + endTimeoutMs;
    if (!quiet) ending = setTimeout(() => say(ENDING), ENDING_MS);
  }, (code) => {
    codeAtOnce = code;
    collector?.stop({ timeoutMs: 0 });
    endAtOnce();
    setTimeout(() => void exit(code), AT_ONCE_MS);
  });
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
  await beforeAbort(opening.done, interruption.signal);
  if (interruption.signal.aborted) {
    const counts = await opening.giveUp();
    if (!quiet) print(complete(counts), settings);
    return codeAtOnce ?? EXIT.done;
  }
  const { socket, sinks, printer, firstId, url } = await opening.done;
  await using _socket = socket;
  let broken: Error | undefined;
  let isOver = false;
  collector = collect(socket, {
    ...settings,
    sinks,
    firstId,
    onError: (error, sink) => {
      if (sink !== printer) return warn(error);
      broken ??= error;
      collector?.stop();
    },
  });
  started.resolve(collector);
  if (!quiet && url !== undefined) say(`page at ${url}`);
  if (!quiet) say(`listening on ${formatAddress(socket.addr)}`);
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
  using _withheld = every(WITHHELD_MS, () => {
    for (const line of describeWithheld(socket.stats)) warnings.once(line);
  }, warn);
  const end = await collector.finished;
  isOver = true;
  progress[Symbol.dispose]();
  const unread = await receiveUnread(socket);
  endAtOnce = () => socket.close();
  const now = performance.now();
  const left = (endsAt ?? now + endTimeoutMs) - now;
  await closeBy(socket, codeAtOnce === undefined ? Math.max(LAST_MS, left) : 0);
  clearTimeout(ending);
  if (!quiet) print(withUnread(await stats(), unread), settings);
  if (broken !== undefined) throw broken;
  return codeAtOnce ?? (end === "stopped" ? EXIT.done : exitCode(socket, end));
}

/**
 * Closes the socket, so that the totals hold what was lost at the end. Peers have
 * that many milliseconds to take what waits for them.
 */
async function closeBy(socket: DatagramSocket, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timers = [
    setTimeout(() => socket.close(), ms),
    setTimeout(resolve, ms + LAST_MS),
  ];
  // Its error, if any, is that of the end of the program.
  socket[Symbol.asyncDispose]().then(resolve, resolve);
  await promise;
  timers.forEach(clearTimeout);
}

function exitCode(socket: DatagramSocket, end: string): number {
  if (socket.stats.sendFailed > 0) return EXIT.notSent;
  return end === "timeout" ? EXIT.timedOut : EXIT.done;
}

/** Prints the totals on standard error, in the format of the messages. */
function print(stats: CollectorStats, settings: ServerSettings): void {
  for (const line of collectorTotals(stats, settings)) say(line);
}

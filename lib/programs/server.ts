import { Warnings } from "../warnings.ts";
import { formatAddress } from "../address/address.ts";
import { collect, type Collector } from "../collect.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { bind } from "../open.ts";
import type { CollectorStats } from "../sink.ts";
import { serverCarrier } from "./carriers.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, onInterrupt, say, VERSION } from "./program.ts";
import {
  HELP,
  needsOf,
  parseSettings,
  type Settings,
} from "./server_options.ts";
import { openSinks } from "./server_sinks.ts";
import { describe, describeWithheld } from "./totals.ts";

// Who waits for an answer that is withheld should not wonder for long.
const WITHHELD_MS = 500;

/** The program `server`. Gives its exit code. */
export async function server(
  args: readonly string[],
  script: string,
): Promise<number> {
  const settings = parseSettings(args);
  if (settings === "help" || settings === "version") {
    console.log(settings === "help" ? HELP : VERSION);
    return EXIT.done;
  }
  requirePermissions(
    `listen on ${formatAddress(settings.address)}`,
    needsOf(settings),
    script,
    args,
  );
  return await serve(settings);
}

async function serve(settings: Settings): Promise<number> {
  const { address, quiet, statsMs } = settings;
  const replies = !!(settings.answer || settings.store?.receipt);
  const { carrier, own } = await serverCarrier(settings.carrier, replies);
  await using socket = bind(formatAddress(address), {
    ...settings.socket,
    carrier,
  });
  await socket.opened;
  const warnings = new Warnings();
  const { sinks, printer, firstId, url } = await openSinks(
    settings,
    socket,
    own,
    () => collector.stats(),
    warnings,
  );
  let broken: Error | undefined;
  const collector: Collector = collect(socket, {
    ...settings,
    sinks,
    firstId,
    onError: (error, sink) => {
      if (sink !== printer) return warnings.once(error.message);
      broken ??= error;
      collector.stop();
    },
  });
  using _ = onInterrupt(() => void collector.stop());
  if (!quiet && url !== undefined) say(`page at ${url}`);
  if (!quiet) say(`listening on ${formatAddress(socket.addr)}`);
  using _stats = every(
    statsMs,
    async () => tell(await collector.stats(), settings),
  );
  using _withheld = every(WITHHELD_MS, () => {
    for (const line of describeWithheld(socket.stats)) {
      warnings.once(line);
    }
  });
  const end = await collector.finished;
  if (!quiet) tell(await collector.stats(), settings);
  if (broken !== undefined) throw broken;
  return end === "stopped" ? EXIT.done : exitCode(socket, end);
}

function exitCode(socket: DatagramSocket, end: string): number {
  if (socket.stats.sendFailed > 0) return EXIT.notSent;
  return end === "timeout" ? EXIT.timedOut : EXIT.done;
}

/** Calls again and again, until it is disposed of. */
function every(ms: number | undefined, callback: () => void): Disposable {
  const timer = ms === undefined ? undefined : setInterval(callback, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What was counted, on standard error, in the format of the messages. */
function tell(stats: CollectorStats, { format, answer, store }: Settings) {
  if (format === "json") say(JSON.stringify(stats));
  else {for (const line of describe(stats, !!(answer || store?.receipt))) {
      say(line);
    }}
}

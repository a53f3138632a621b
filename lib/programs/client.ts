import { formatAddress } from "../address/address.ts";
import { systemClock } from "../clock.ts";
import { beforeAbort } from "../promises.ts";
import { settles } from "../socket/peer_lines.ts";
import { round } from "../turns.ts";
import { largestMessageTo } from "./carriers.ts";
import {
  clientNeeds,
  type ClientSettings,
  clientSettings,
  HELP,
  OPTIONS,
} from "./client_options.ts";
import { Exchange } from "./exchange.ts";
import { STANDARD_INPUT } from "./input.ts";
import { parseOptions } from "./options.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, onInterrupt, say } from "./program.ts";
import { showProgress } from "./progress.ts";

// How long an interrupted client waits for its socket to be closed.
const CLOSE_MS = 500;

/** The program `client`. Returns its exit code. */
export async function client(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = clientSettings(options);
  const { remote, carrier, file } = settings;
  requirePermissions(
    [[`send to ${formatAddress(remote)}`, clientNeeds(settings)]],
    { script, args },
  );
  const isTerminal = isTyped(settings) && Deno.stdin.isTerminal();
  if (isTerminal) {
    const to = formatAddress(remote);
    const what = file
      ? `the input is sent to ${to} as one message`
      : `each line is sent to ${to}`;
    say(`${what}; Ctrl-D ends the input`);
  }
  const exchange = new Exchange(settings, largestMessageTo(carrier, remote));
  // No progress while the user types.
  return await run(exchange, settings.quiet, isTerminal);
}

/** Whether the messages come from standard input. */
function isTyped({ file, messages }: ClientSettings): boolean {
  return file === undefined ? messages.length === 0 : file === STANDARD_INPUT;
}

async function run(
  exchange: Exchange,
  isQuiet: boolean,
  isTerminal: boolean,
): Promise<number> {
  const interruption = new AbortController();
  const { signal } = interruption;
  using _ = onInterrupt(() => interruption.abort());
  using shown = showProgress(() => exchange.progress, isQuiet || isTerminal);
  const running = exchange.run(signal);
  await beforeAbort(running, signal);
  shown[Symbol.dispose]();
  if (signal.aborted) {
    // A message that is just being taken from the input is in hand after a round.
    await round();
    const { rest } = exchange;
    if (rest !== undefined) say(rest);
    await settles(exchange.close(), CLOSE_MS, systemClock);
  } else await running;
  if (!isQuiet) say(exchange.totals);
  if (signal.aborted) return EXIT.done;
  if (exchange.unsent > 0) return EXIT.notSent;
  return exchange.unanswered > 0 ? EXIT.timedOut : EXIT.done;
}

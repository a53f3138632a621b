import { formatAddress } from "../address/address.ts";
import { traced } from "../carriers/traced.ts";
import { SocketClosedError } from "../errors.ts";
import { connect } from "../open.ts";
import type { SocketStats } from "../socket/stats.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { clientCarrier, largestMessageTo } from "./carriers.ts";
import {
  clientNeeds,
  type ClientSettings,
  clientSettings,
  HELP,
  OPTIONS,
} from "./client_options.ts";
import { formatter } from "./format.ts";
import { type InputMessage, inputMessages, STANDARD_INPUT } from "./input.ts";
import { parseOptions } from "./options.ts";
import { Output } from "./output.ts";
import { pace } from "./pace.ts";
import { showProgress } from "./progress.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, onInterrupt, say } from "./program.ts";
import { describeReceived, describeSent } from "./totals.ts";

type InputMessages = Iterable<InputMessage> | AsyncIterable<InputMessage>;

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
  const limit = largestMessageTo(carrier, remote);
  const input = await inputMessages({ ...settings, limit });
  if (isTyped(settings) && Deno.stdin.isTerminal()) {
    const to = formatAddress(remote);
    const what = file
      ? `the input is sent to ${to} as one message`
      : `each line is sent to ${to}`;
    say(`${what}; Ctrl-D ends the input`);
  }
  return await run(input, settings, limit);
}

/** Whether the messages come from standard input. */
function isTyped({ file, messages }: ClientSettings): boolean {
  return file === undefined ? messages.length === 0 : file === STANDARD_INPUT;
}

async function run(
  input: InputMessages,
  settings: ClientSettings,
  limit: number,
): Promise<number> {
  const source = await clientCarrier(settings.carrier);
  const { quiet, remote } = settings;
  let progress = () => `connecting to ${formatAddress(remote)}`;
  using shown = showProgress(
    () => progress(),
    // Nor while the user types.
    quiet || isTyped(settings) && Deno.stdin.isTerminal(),
  );
  await using socket = await connect(formatAddress(remote), {
    carrier: settings.trace ? traced(source) : source,
    // An echo of the longest message is not cut.
    maxSize: limit,
  });
  progress = () => describe(socket.stats, undefined, settings);
  const interrupted = Promise.withResolvers<undefined>();
  using _ = onInterrupt(() => {
    socket.close();
    interrupted.resolve(undefined);
  });
  // Reading standard input cannot be interrupted.
  const outcome = await Promise.race([
    sendAll(socket, input, settings),
    interrupted.promise,
  ]);
  shown[Symbol.dispose]();
  if (!quiet) say(describe(socket.stats, outcome, settings));
  if (outcome === undefined) return EXIT.done;
  if (outcome.unsent > 0) return EXIT.notSent;
  return outcome.unanswered > 0 ? EXIT.timedOut : EXIT.done;
}

/** The messages that failed, which the socket alone cannot count. */
interface Outcome {
  unsent: number;
  unanswered: number;
}

async function sendAll(
  socket: ConnectedSocket,
  input: InputMessages,
  { wait, format, repeat, rate }: ClientSettings,
): Promise<Outcome> {
  const outcome = { unsent: 0, unanswered: 0 };
  const step = rate === undefined ? undefined : pace(rate);
  const output = new Output();
  const write = formatter(format);
  const warnings = new Warnings();

  const exchange = async (bytes: Uint8Array) => {
    if (wait === undefined) return await socket.send(bytes);
    await setAsideLateReplies(socket);
    const reply = await socket.request(bytes, wait);
    await output.write(write(reply, new Date()));
  };

  for await (const message of input) {
    if ("refused" in message) {
      outcome.unsent++;
      say(`${message.name} was not sent: ${message.refused}`);
      continue;
    }
    if (wait === undefined && step === undefined && repeat > 1) {
      const { unsent, error } = await sendMany(socket, message.bytes, repeat);
      if (error instanceof SocketClosedError) return outcome;
      outcome.unsent += unsent;
      if (error) warnings.once(`${message.name}: ${reasonOf(error)}`);
      continue;
    }
    for (let i = 0; i < repeat; i++) {
      await step?.();
      try {
        await exchange(message.bytes);
      } catch (error) {
        if (error instanceof SocketClosedError) return outcome;
        if (error instanceof Deno.errors.BrokenPipe) throw error;
        if (wait && error instanceof Deno.errors.TimedOut) outcome.unanswered++;
        else outcome.unsent++;
        warnings.once(`${message.name}: ${reasonOf(error)}`);
      }
    }
  }
  await output.flush();
  return outcome;
}

/** Sends a message again and again. Returns how many failed, and the first error. */
async function sendMany(
  socket: ConnectedSocket,
  bytes: Uint8Array,
  repeat: number,
): Promise<{ unsent: number; error?: unknown }> {
  const { sendFailed } = socket.stats;
  const messages = function* () {
    for (let i = 0; i < repeat; i++) yield bytes;
  };
  try {
    await socket.sendMany(messages());
    return { unsent: 0 };
  } catch (error) {
    const unsent = socket.stats.sendFailed - sendFailed;
    const [first] = error instanceof AggregateError ? error.errors : [error];
    return { unsent, error: first };
  }
}

/**
 * Reports replies to earlier messages, so that none passes for the reply to the
 * next one. There can be some only if more was sent than was received.
 */
async function setAsideLateReplies(socket: ConnectedSocket): Promise<void> {
  while (socket.stats.sent > socket.stats.received) {
    const late = await socket.tryReceive();
    if (late === undefined) return;
    say(`a late reply: ${late.text()}`);
  }
}

function describe(
  stats: SocketStats,
  outcome: Outcome | undefined,
  { wait }: ClientSettings,
): string {
  const parts = [describeSent(stats)];
  if (wait) parts.push(describeReceived(stats));
  if (outcome && outcome.unanswered > 0) {
    parts.push(`${outcome.unanswered} without a reply`);
  }
  return parts.join("; ");
}

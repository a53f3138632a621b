import { Warnings } from "../warnings.ts";
import type { SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress, toDestination } from "../address/address.ts";
import type { SocketStats } from "../socket/stats.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { SocketClosedError } from "../errors.ts";
import { connect } from "../open.ts";
import {
  type CarrierSettings,
  carrierSettings,
  clientCarrier,
  toCarry,
} from "./carriers.ts";
import { FORMATS, formatter } from "./format.ts";
import { type Message, messages } from "./messages.ts";
import {
  duration,
  oneOf,
  parseOptions,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { Output } from "./output.ts";
import { pace } from "./pace.ts";
import {
  type Needs,
  requirePermissions,
  toConnect,
  together,
  toUnix,
} from "./permissions.ts";
import { EXIT, onInterrupt, say, VERSION } from "./program.ts";
import { describeReceived, describeSent } from "./totals.ts";

const DEFAULT_ADDRESS = "udp://127.0.0.1:62000";
const MAX_SIZE = 65_527;

const HELP = `Sends messages, and waits for replies.

Usage: deno task client [--to ADDRESS] [MESSAGE ...] [options]
Each MESSAGE is sent by itself; without any, each line of standard input.

  --to ADDRESS       the receiver                 [${DEFAULT_ADDRESS}]
  --wait             wait for a reply to each message and print it
  --timeout D        with --wait: how long (500ms, 10s, 1m)         [1s]
  --retries N        with --wait: send again when no reply came      [0]
  --format F         with --wait: text | json | hex | raw         [text]
  --repeat N         send each message N times                       [1]
  --rate N           send at most N a second
  --hex              messages are hexadecimal: "00 ff"
  --file PATH        send a file's bytes as one message
  --framing F        tcp, tls: a message is a line | length        [line]
  --ca FILE          tls, quic: certificates to trust besides the system's
  --token-file FILE  quic: the secret that the server wants   [PLI_TOKEN]
  --reliable         quic: lose no message and keep their order
  --fast             udp: --repeat by many a system call; Linux, --allow-ffi
  --quiet            only errors on standard error
  --help, --version

An address is udp://HOST:PORT, HOST:PORT, :PORT (on loopback), udp://[::1]:PORT,
tcp://, tls://, quic:// likewise, or unix:/PATH. A secret is in a file or [a
variable]. A message that begins with a dash goes after --.

Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 the socket could not be
opened; 3 a reply did not come in time; 4 some messages could not be sent.

  deno task client --to 127.0.0.1:9000 --wait --retries 3 ping`;

/** What the command line asks for, checked. */
interface Settings {
  remote: SchemeAddr | UnixAddr;
  carrier: CarrierSettings;
  /** How to wait for replies, if at all. */
  wait: { timeoutMs: number; retries: number } | undefined;
  format: typeof FORMATS[number];
  repeat: number;
  rate: number | undefined;
  quiet: boolean;
}

/** The program `client`. Gives its exit code. */
export async function client(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, rest } = parseOptions(args, {
    values: [
      "to",
      "timeout",
      "retries",
      "format",
      "repeat",
      "rate",
      "file",
      "framing",
      "ca",
      "token-file",
    ],
    flags: ["wait", "hex", "reliable", "fast", "quiet", "help", "version"],
  });
  if (flags.help || flags.version) {
    console.log(flags.help ? HELP : VERSION);
    return EXIT.done;
  }
  for (const name of ["timeout", "retries", "format"] as const) {
    if (values[name] !== undefined && !flags.wait) {
      throw new UsageError(`--${name} goes with --wait`);
    }
  }
  if (values.file !== undefined && (rest.length > 0 || flags.hex)) {
    throw new UsageError(
      `--file and ${flags.hex ? "--hex" : "messages"}: give one of them`,
    );
  }
  const timeoutMs = duration("timeout", values.timeout, 1000);
  const retries = wholeNumber("retries", values.retries, 0, 0);
  const remote = toDestination(values.to ?? DEFAULT_ADDRESS);
  const settings: Settings = {
    remote,
    carrier: carrierSettings(remote, values, flags),
    wait: flags.wait ? { timeoutMs, retries } : undefined,
    format: oneOf("format", values.format, FORMATS, "text"),
    repeat: wholeNumber("repeat", values.repeat, 1, 1),
    rate: wholeNumber("rate", values.rate, 1, undefined),
    quiet: flags.quiet,
  };
  if ("path" in remote && flags.wait) {
    throw new UsageError("over unix: no reply can come; leave out --wait");
  }
  requirePermissions(
    `send to ${formatAddress(remote)}`,
    together(needs(remote, values.file), toCarry(settings.carrier)),
    script,
    args,
  );
  const toSend = await messages({
    args: rest,
    file: values.file,
    hex: flags.hex,
    limit: MAX_SIZE,
  });
  if (rest.length === 0 && !values.file && Deno.stdin.isTerminal()) {
    say(`each line goes to ${formatAddress(remote)}; Ctrl-D ends`);
  }
  return await send(toSend, settings);
}

async function send(
  toSend: Iterable<Message> | AsyncIterable<Message>,
  settings: Settings,
): Promise<number> {
  const carrier = await clientCarrier(settings.carrier);
  const remote = formatAddress(settings.remote);
  await using socket = await connect(remote, { carrier });
  const interrupted = Promise.withResolvers<undefined>();
  using _ = onInterrupt(() => {
    socket.close();
    interrupted.resolve(undefined);
  });
  // Standard input may be waited for, and cannot be interrupted.
  const outcome = await Promise.race([
    sendAll(socket, toSend, settings),
    interrupted.promise,
  ]);
  if (!settings.quiet) say(describe(socket.stats, outcome, settings));
  if (outcome === undefined) return EXIT.done;
  return outcome.unsent > 0
    ? EXIT.notSent
    : outcome.unanswered > 0
    ? EXIT.timedOut
    : EXIT.done;
}

/** What became of the messages beyond what the socket counts. */
interface Outcome {
  unsent: number;
  unanswered: number;
}

async function sendAll(
  socket: ConnectedSocket,
  toSend: Iterable<Message> | AsyncIterable<Message>,
  { wait, format, repeat, rate }: Settings,
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

  for await (const message of toSend) {
    if ("refused" in message) {
      outcome.unsent++;
      say(`${message.name} was not sent: ${message.refused}`);
      continue;
    }
    if (wait === undefined && step === undefined && repeat > 1) {
      const { unsent, error } = await sendMany(socket, message.bytes, repeat);
      if (error instanceof SocketClosedError) return outcome;
      outcome.unsent += unsent;
      if (error) {
        warnings.once(
          `${message.name}: ${error.message}`,
          `${message.name}: ${error.message}`,
        );
      }
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
        warnings.once(
          `${message.name}: ${(error as Error).message}`,
          `${message.name}: ${(error as Error).message}`,
        );
      }
    }
  }
  await output.flush();
  return outcome;
}

/** Sends it so many times. Gives how many were not sent, and why the first was not. */
async function sendMany(
  socket: ConnectedSocket,
  bytes: Uint8Array,
  repeat: number,
): Promise<{ unsent: number; error?: Error }> {
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
 * A reply that comes after its message was given up is not the next one's.
 * There can be one only where more was sent than came back.
 */
async function setAsideLateReplies(socket: ConnectedSocket): Promise<void> {
  while (socket.stats.sent > socket.stats.received) {
    const late = await socket.tryReceive();
    if (late === undefined) return;
    say(`a reply came late: ${late.text()}`);
  }
}

function describe(
  stats: SocketStats,
  outcome: Outcome | undefined,
  { wait }: Settings,
): string {
  const parts = [describeSent(stats)];
  if (wait) parts.push(describeReceived(stats));
  if (outcome && outcome.unanswered > 0) {
    parts.push(`${outcome.unanswered} without a reply`);
  }
  return parts.join("; ");
}

function needs(
  remote: SchemeAddr | UnixAddr,
  file: string | undefined,
): Needs {
  const send = "path" in remote
    ? { ...toUnix(remote.path), write: [remote.path] }
    : toConnect(remote);
  return file === undefined ? send : { ...send, read: [file] };
}

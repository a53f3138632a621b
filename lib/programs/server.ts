import { formatAddress, parseAddress } from "../address.ts";
import type { Datagram } from "../datagram.ts";
import type { DatagramSocket } from "../datagram_socket.ts";
import { SocketClosedError } from "../errors.ts";
import { bind } from "../open.ts";
import { FORMATS, formatter } from "./format.ts";
import {
  duration,
  oneOf,
  parseOptions,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { Output } from "./output.ts";
import {
  type Needs,
  requirePermissions,
  toAnswer,
  toBind,
  toUnix,
} from "./permissions.ts";
import { Complaints, EXIT, onInterrupt, say, VERSION } from "./program.ts";
import { describeReceived, describeSent } from "./totals.ts";

const DEFAULT_ADDRESS = "udp://127.0.0.1:62000";
const MAX_SIZE = 65_527;

const HELP = `Receives messages and shows them.

Usage: deno task server [ADDRESS] [options]   ADDRESS: ${DEFAULT_ADDRESS}

  --count N          stop after N messages
  --once             stop after one
  --timeout D        stop, exit code 3, when none came for D (500ms, 10s, 1m)
  --max-size BYTES   keep at most this much of a message; longer ones are
                     marked truncated                             [${MAX_SIZE}]
  --format F         text | json | hex | raw                       [text]
  --echo             answer each message with itself
  --reply TEXT       answer each message with TEXT
  --quiet            only errors on standard error
  --help, --version

An address is udp://HOST:PORT, HOST:PORT, :PORT (on loopback), udp://[::1]:PORT,
or unix:/PATH. Messages go to standard output, all else to standard error.

Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 the socket could not be
opened; 3 timed out; 4 some answers could not be sent.

  deno task server --format json --count 10
  deno task server 127.0.0.1:9000 --echo`;

/** What the command line asks for, checked. */
interface Settings {
  address: Deno.NetAddr | Deno.UnixAddr;
  count: number;
  timeoutMs: number | undefined;
  maxSize: number;
  format: typeof FORMATS[number];
  answer: ((datagram: Datagram<Deno.Addr>) => string | Uint8Array) | undefined;
  quiet: boolean;
}

/** The program `server`. Gives its exit code. */
export async function server(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, rest } = parseOptions(args, {
    values: ["count", "timeout", "max-size", "format", "reply"],
    flags: ["once", "echo", "quiet", "help", "version"],
  });
  if (flags.help || flags.version) {
    console.log(flags.help ? HELP : VERSION);
    return EXIT.done;
  }
  if (rest.length > 1) {
    throw new UsageError(`one address, not ${rest.length}`);
  }
  if (flags.once && values.count !== undefined) {
    throw new UsageError("--once and --count: give one of them");
  }
  if (flags.echo && values.reply !== undefined) {
    throw new UsageError("--echo and --reply: give one of them");
  }
  const { reply } = values;
  const settings: Settings = {
    address: parseAddress(rest[0] ?? DEFAULT_ADDRESS),
    count: flags.once ? 1 : wholeNumber("count", values.count, 1, Infinity),
    timeoutMs: duration("timeout", values.timeout, undefined),
    maxSize: wholeNumber("max-size", values["max-size"], 0, MAX_SIZE),
    format: oneOf("format", values.format, FORMATS, "text"),
    answer: flags.echo
      ? ({ data }) => data
      : reply !== undefined
      ? () => reply
      : undefined,
    quiet: flags.quiet,
  };
  if (settings.maxSize > MAX_SIZE) {
    throw new UsageError(
      `--max-size ${settings.maxSize}: no message is longer than ${MAX_SIZE} bytes`,
    );
  }
  if ("path" in settings.address && settings.answer !== undefined) {
    throw new UsageError("a unix: server only receives; it cannot answer");
  }
  requirePermissions(
    `listen on ${formatAddress(settings.address)}`,
    needs(settings),
    script,
    args,
  );
  return await serve(settings);
}

async function serve(settings: Settings): Promise<number> {
  const { quiet } = settings;
  await using socket = bind(formatAddress(settings.address), {
    maxSize: settings.maxSize,
  });
  await socket.opened;
  let interrupted = false;
  let kernelDrops: number | undefined;
  using _ = onInterrupt(async () => {
    interrupted = true;
    kernelDrops = await socket.kernelDrops();
    socket.close();
  });
  if (!quiet) say(`listening on ${formatAddress(socket.addr)}`);
  const code = await receiveAll(socket, settings);
  if (!quiet) {
    kernelDrops ??= await socket.kernelDrops();
    say(describeReceived(socket.stats, kernelDrops));
    if (settings.answer) say(describeSent(socket.stats));
  }
  return interrupted ? EXIT.done : code;
}

/** Until it has enough, nothing comes any more, or the socket is closed. */
async function receiveAll(
  socket: DatagramSocket,
  { count, timeoutMs, format, answer }: Settings,
): Promise<number> {
  const write = formatter(format);
  const output = new Output();
  const complaints = new Complaints();
  let timedOut = false;
  const next = async () => {
    try {
      return await socket.receive({ timeoutMs });
    } catch (error) {
      timedOut = error instanceof Deno.errors.TimedOut;
      if (timedOut || error instanceof SocketClosedError) return "end";
      complaints.say((error as Error).message);
    }
  };
  for (let n = 0; n < count;) {
    const datagram = await next();
    if (datagram === "end") break;
    if (datagram === undefined) continue;
    n++;
    const full = output.write(write(datagram, new Date()));
    // While standard output takes no more, the server reads no more.
    if (full !== undefined) await full;
    if (answer === undefined) continue;
    await socket.send(answer(datagram), datagram.from)
      .catch((error) => complaints.say(error.message));
  }
  await output.flush();
  return socket.stats.sendFailed > 0
    ? EXIT.notSent
    : timedOut
    ? EXIT.timedOut
    : EXIT.done;
}

/** The narrowest permissions that do. */
function needs({ address, answer }: Settings): Needs {
  if ("path" in address) {
    const { path } = address;
    return { ...toUnix(path), read: [path], write: [path] };
  }
  return answer ? toAnswer(address) : toBind(address);
}

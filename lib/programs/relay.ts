/**
 * The program `deno task relay`: relays datagrams between clients and a server,
 * and fails as told.
 *
 * @module
 */
import { Warnings } from "../warnings.ts";
import type { NetAddr, SchemeAddr, UnixAddr } from "../addr.ts";
import {
  formatAddress,
  parseAddress,
  toDestination,
} from "../address/address.ts";
import { quote } from "../errors.ts";
import { connect } from "../open.ts";
import type { Faults } from "../testing/faults.ts";
import { type Relay, startRelay } from "../testing/relay.ts";
import { FAULT_OPTIONS, readFaults } from "./fault_options.ts";
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
  toConnect,
} from "./permissions.ts";
import { EXIT, onInterrupt, runProgram, say, VERSION } from "./program.ts";
import {
  describeRelay,
  type RelayTotals,
  relayTotalsJson,
} from "./relay_totals.ts";

const FORMATS = ["text", "json"] as const;

const HELP = `Relays datagrams between clients and a server, and fails as told.

Usage: deno task relay --listen ADDRESS --to ADDRESS [options]
Clients send to --listen; each gets a port of its own towards --to, for replies.

  --loss 10% --duplicate 1% --reorder 5% --corrupt 0.1%
                       how probably that happens to a datagram, either way
  --delay 20ms..80ms   how long each takes: from, to; or always --delay 20ms
  --bandwidth 1mbit    what passes in a second (bit, kbit, mbit, gbit)
  --queue N            how many may wait for that; more are dropped       [1024]
  --mtu BYTES          longer ones are dropped
  --seed N             what all its chances follow from                      [1]
  --idle D             forget a client after D of silence (500ms, 10s, 1m)  [1m]
  --max-sessions N     how many clients at a time                         [1024]
  --stats-every D      print the totals every D, and not only at the end
  --format F           the totals as text on standard error, or as json on
                       standard output, one object a line                 [text]
  --quiet              only errors on standard error
  --help, --version

Exit codes: 0 done by Ctrl-C; 1 bad usage or address; 2 no socket or permission.

  deno task relay --listen :7000 --to :62000 --loss 10% --delay 20ms..80ms`;

/** What the command line asks for, checked. */
interface Settings {
  listen: NetAddr;
  to: NetAddr;
  faults: Faults;
  seed: number;
  idleMs: number;
  maxSessions: number;
  statsEveryMs: number | undefined;
  format: typeof FORMATS[number];
  quiet: boolean;
}

/** The program `relay`. Gives its exit code. */
export async function relay(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, rest } = parseOptions(args, {
    values: [
      ...["listen", "to", "seed", "idle", "max-sessions"] as const,
      ...["stats-every", "format"] as const,
      ...FAULT_OPTIONS,
    ],
    flags: ["quiet", "help", "version"],
  });
  if (flags.help || flags.version) {
    console.log(flags.help ? HELP : VERSION);
    return EXIT.done;
  }
  if (rest.length > 0) {
    throw new UsageError(`${quote(rest[0])}: only options are known`);
  }
  const settings: Settings = {
    listen: udpAddress("listen", values.listen, parseAddress),
    to: udpAddress("to", values.to, (text) => toDestination(text)),
    faults: readFaults(values),
    seed: wholeNumber("seed", values.seed, 0, 1),
    idleMs: duration("idle", values.idle, 60_000),
    maxSessions: wholeNumber("max-sessions", values["max-sessions"], 1, 1024),
    statsEveryMs: duration("stats-every", values["stats-every"], undefined),
    format: oneOf("format", values.format, FORMATS, "text"),
    quiet: flags.quiet,
  };
  const { listen, to, statsEveryMs, format, quiet } = settings;
  if (statsEveryMs !== undefined && quiet && format === "text") {
    throw new UsageError("--quiet and --stats-every: give one of them");
  }
  requirePermissions(
    `relay from ${formatAddress(listen)} to ${formatAddress(to)}`,
    needs(listen, to),
    script,
    args,
  );
  return await run(settings);
}

async function run(settings: Settings): Promise<number> {
  const { listen, seed, idleMs, maxSessions, faults, quiet } = settings;
  const to = await lookUp(settings.to);
  const warnings = new Warnings();
  await using relay = startRelay({
    ...faults,
    listen,
    to,
    seed,
    idleMs,
    maxSessions,
    onError: (error) => warnings.once((error as Error).message),
  });
  const end = Promise.withResolvers<void>();
  using _ = onInterrupt(end.resolve);
  if (!quiet) {
    const [from, onTo] = [relay.addr, to].map(formatAddress);
    say(`relaying ${from} to ${onTo} (seed ${seed})`);
  }
  const print = printer(settings);
  const every = settings.statsEveryMs;
  const timer = every && setInterval(() => {
    totals(relay).then(print).catch(end.reject);
  }, every);
  try {
    await end.promise;
  } finally {
    clearInterval(timer);
  }
  // Once it is closed, the system knows no more of it, nor it of clients.
  const { kernelDrops, sessions } = await totals(relay);
  await relay.close();
  await print({ ...relay.stats, sessions, kernelDrops });
  return EXIT.done;
}

/** Says at once who cannot be relayed to, and looks a name up only once. */
async function lookUp(to: NetAddr): Promise<NetAddr> {
  await using socket = await connect(to);
  return socket.remote;
}

async function totals(relay: Relay): Promise<RelayTotals> {
  const kernelDrops = await relay.kernelDrops();
  return { ...relay.stats, kernelDrops };
}

function printer(
  { format, quiet }: Settings,
): (totals: RelayTotals) => Promise<void> {
  const output = new Output();
  const encoder = new TextEncoder();
  return async (totals) => {
    if (format === "json") {
      const line = relayTotalsJson(totals, new Date());
      output.write(encoder.encode(`${line}\n`));
      await output.flush();
    } else if (!quiet) {
      for (const line of describeRelay(totals)) say(line);
    }
  };
}

function udpAddress(
  name: string,
  text: string | undefined,
  parse: (text: string) => SchemeAddr | UnixAddr,
): NetAddr {
  if (text === undefined) {
    throw new UsageError(`--${name} is missing, such as 127.0.0.1:7000`);
  }
  const address = parse(text);
  const isUdp = address.transport === "udp" && address.scheme === undefined;
  if (isUdp) return address;
  throw new UsageError(
    `--${name} ${quote(text)}: a relay is for UDP, such as 127.0.0.1:7000`,
  );
}

/** The narrowest permissions that do. */
function needs(listen: NetAddr, to: NetAddr): Needs {
  const [front, upstream] = [toAnswer(listen).net, toConnect(to).net];
  if (!Array.isArray(front) || !Array.isArray(upstream)) return { net: true };
  const hosts = new Set(front);
  // Whole hosts include their ports.
  const more = upstream.filter((host) => !hosts.has(host.replace(/:\d+$/, "")));
  return { net: [...hosts, ...more] };
}

if (import.meta.main) {
  await runProgram("relay", () => relay(Deno.args, import.meta.filename!));
}

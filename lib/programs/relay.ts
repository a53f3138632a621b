/**
 * The program `deno task relay`: relays datagrams between clients and a server,
 * and injects faults.
 *
 * @module
 */
import type { NetAddr, SchemeAddr, UnixAddr } from "../addr.ts";
import {
  formatAddress,
  parseAddress,
  toDestination,
} from "../address/address.ts";
import { systemClock } from "../clock.ts";
import { quote } from "../errors.ts";
import { connect } from "../open.ts";
import { beforeAbort } from "../promises.ts";
import { settles } from "../socket/peer_lines.ts";
import { type Relay, startRelay } from "../testing/relay.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { followCommands, isInBackground } from "./commands.ts";
import { every } from "./every.ts";
import { FAULT_OPTIONS } from "./fault_options.ts";
import { type Needs, toAnswer, toConnect, together } from "./needs.ts";
import {
  duration,
  noArguments,
  oneOf,
  type Options,
  parseOptions,
  requires,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { Output } from "./output.ts";
import { requirePermissions } from "./permissions.ts";
import { showProgress } from "./progress.ts";
import { EXIT, isAnswered, onInterrupt, runProgram, say } from "./program.ts";
import { receiveBuffer } from "./receive_buffer.ts";
import {
  type RecordSettings,
  recordSettings,
  toRecord,
} from "./record_settings.ts";
import { HELP } from "./relay_help.ts";
import { RelayFaults } from "./relay_faults.ts";
import { startRecorded } from "./relay_recording.ts";
import {
  describeProgress,
  describeRelay,
  NO_TOTALS,
  type RelayTotals,
  relayTotalsJson,
} from "./relay_totals.ts";
import { toCountSystemDrops } from "./system_drops.ts";
import { udpCarrier } from "./udp_carrier.ts";

const FORMATS = ["text", "json"] as const;
// How long the end waits for the reader of the last totals.
const PRINT_MS = 3000;

const OPTIONS = {
  values: [
    "listen",
    "to",
    "seed",
    "idle",
    "max-sessions",
    "stats-every",
    "format",
    "record",
    "record-limit",
    "receive-buffer",
    "up",
    "down",
    ...FAULT_OPTIONS,
  ],
  flags: ["quiet"],
} as const;

/** The options of a command line, checked. */
interface RelaySettings {
  listen: NetAddr;
  to: NetAddr;
  faults: RelayFaults;
  seed: number;
  idleMs: number;
  maxSessions: number;
  statsEveryMs: number | undefined;
  format: typeof FORMATS[number];
  quiet: boolean;
  record: RecordSettings | undefined;
  receiveBuffer: number | undefined;
}

/** The program `relay`. Returns its exit code. */
export async function relay(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = relaySettings(options);
  const { listen, to } = settings;
  const what = `relay from ${formatAddress(listen)} to ${formatAddress(to)}`;
  requirePermissions([[what, relayNeeds(settings)]], { script, args });
  return await run(settings);
}

function relaySettings(
  { values, flags, rest }: Options<typeof OPTIONS>,
): RelaySettings {
  noArguments(rest);
  requires(values, "record-limit", "record");
  const settings: RelaySettings = {
    listen: udpAddress("listen", values.listen, parseAddress),
    to: udpAddress("to", values.to, (text) => toDestination(text)),
    faults: relayFaults(values),
    seed: wholeNumber("seed", values.seed, 0, 1),
    idleMs: duration("idle", values.idle, 60_000),
    maxSessions: wholeNumber("max-sessions", values["max-sessions"], 1, 1024),
    statsEveryMs: duration("stats-every", values["stats-every"], undefined),
    format: oneOf("format", values.format, FORMATS, "text"),
    quiet: flags.quiet,
    record: recordSettings(values.record, values["record-limit"]),
    receiveBuffer: receiveBuffer(values["receive-buffer"]),
  };
  const { statsEveryMs, format, quiet } = settings;
  if (statsEveryMs !== undefined && quiet && format === "text") {
    throw new UsageError("--quiet and --stats-every: give one of them");
  }
  return settings;
}

function relayFaults(
  { up, down, ...values }: Options<typeof OPTIONS>["values"],
): RelayFaults {
  const texts = FAULT_OPTIONS.flatMap((name) =>
    values[name] === undefined ? [] : [[name, values[name]] as const]
  );
  const faults = new RelayFaults(Object.fromEntries(texts));
  if (up !== undefined) faults.set("--up", up, ["up"]);
  if (down !== undefined) faults.set("--down", down, ["down"]);
  return faults;
}

async function run(settings: RelaySettings): Promise<number> {
  const { listen, seed, idleMs, maxSessions, faults, quiet } = settings;
  const end = Promise.withResolvers<void>();
  const interruption = new AbortController();
  using _ = onInterrupt(() => {
    interruption.abort();
    end.resolve();
  });
  const print = printer(settings);
  const looking = lookUp(settings.to);
  await beforeAbort(looking, interruption.signal);
  if (interruption.signal.aborted) {
    await print(NO_TOTALS);
    return EXIT.done;
  }
  const to = await looking;
  const warnings = new Warnings();
  const { receiveBuffer } = settings;
  const fast = receiveBuffer !== undefined;
  const carrier = await udpCarrier({ fast, receiveBuffer }, quiet);
  const started = await startRecorded(
    settings.record,
    seed,
    (onFate) =>
      startRelay({
        listen,
        to,
        carrier,
        seed,
        idleMs,
        maxSessions,
        onError: (error) => warnings.once(reasonOf(error)),
        onFate,
      }),
  );
  const { recording } = started;
  await using relay = started.relay;
  for (const [way, each] of faults.all) relay.set(each, way);
  if (!quiet) {
    const [from, onTo] = [relay.addr, to].map(formatAddress);
    say(`relaying ${from} to ${onTo} (seed ${seed})`);
  }
  using progress = showProgress(() => describeProgress(relay.stats), quiet);
  void obeyInput(relay, settings, interruption.signal);
  {
    using _timer = every(
      settings.statsEveryMs,
      async () => print(await totals(relay)),
      end.reject,
    );
    await end.promise;
  }
  progress[Symbol.dispose]();
  // After it is closed, the system has no count of it, and it has no sessions.
  const { kernelDrops, sessions } = await totals(relay);
  await relay.close();
  const last = { ...relay.stats, sessions, kernelDrops };
  await recording?.close(last);
  const printed = print({ ...last, recording: recording?.stats });
  // Nobody may read the output any more.
  if (await settles(printed, PRINT_MS, systemClock)) await printed;
  return EXIT.done;
}

/** Changes faults by lines on standard input, and says what holds then. */
async function obeyInput(
  relay: Relay,
  { faults, quiet }: RelaySettings,
  end: AbortSignal,
): Promise<void> {
  if (await isInBackground()) return;
  await followCommands(Deno.stdin.readable, {
    execute(command) {
      if (end.aborted) return;
      for (const [way, each] of faults.execute(command)) relay.set(each, way);
      if (!quiet) say(faults.describe());
    },
    report: say,
  });
}

/** Rejects at once a server that cannot be reached, and looks its name up once. */
async function lookUp(to: NetAddr): Promise<NetAddr> {
  await using socket = await connect(to);
  return socket.remote;
}

async function totals(relay: Relay): Promise<RelayTotals> {
  // A count that fails is unknown, and the relay goes on.
  const kernelDrops = await relay.kernelDrops().catch(() => undefined);
  return { ...relay.stats, kernelDrops };
}

function printer(
  { format, quiet }: RelaySettings,
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

/** Returns the narrowest permissions that suffice. */
function relayNeeds(
  { listen, to, record, receiveBuffer }: RelaySettings,
): Needs {
  const fast = receiveBuffer !== undefined;
  return together(
    toAnswer(listen, fast),
    { ffi: fast },
    toConnect(to),
    toRecord(record),
    toCountSystemDrops({ scheme: "udp", fast: false }),
  );
}

if (import.meta.main) {
  await runProgram("relay", () => relay(Deno.args, import.meta.filename!));
}

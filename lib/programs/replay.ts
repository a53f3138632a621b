/**
 * The program `deno task replay`: sends the datagrams of a capture again.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import { formatAddress, toDestination } from "../address/address.ts";
import { rangeOf } from "../address/networks.ts";
import { MAX_SENDERS, Player, type Sender } from "../capture/player.ts";
import { systemClock } from "../clock.ts";
import { count } from "../count.ts";
import { quote } from "../errors.ts";
import { connect } from "../open.ts";
import { beforeAbort } from "../promises.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { STANDARD_INPUT } from "./input.ts";
import { toConnect } from "./needs.ts";
import {
  notBoth,
  type Options,
  parseOptions,
  rate,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, onInterrupt, runProgram, say } from "./program.ts";
import { showProgress } from "./progress.ts";
import { openSource, type ReplaySource } from "./replay_source.ts";

const HELP = `Send the datagrams of a capture again, to one address.

Usage: deno task replay FILE --to ADDRESS [options]
FILE: pcap or pcapng, of any program, - for one from standard input, or a store
of server --store

  --to ADDRESS       where all of them go, such as 127.0.0.1:62000; never to the
                     addresses in the capture
  --speed N          N times as fast as captured, or max: at once           [1]
  --rate RATE        so many per second instead, such as 1000/s
  --loop N           N times, one after the other                           [1]
  --port N           only datagrams that were sent to this port
  --from CIDR        only those from these sources (repeatable)
  --quiet, -h, --help, --version    --quiet: only errors on standard error

Each sender has a socket of its own, up to ${MAX_SENDERS} at a time; then that of the
oldest is reused, and counted. Datagrams that the capture has cut are not sent.
Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 the file is broken, or
no socket or permission; 4 some datagrams not sent.
  deno task replay messages.pcapng --to 127.0.0.1:62000 --speed 2`;

const OPTIONS = {
  values: ["to", "speed", "rate", "loop", "port"],
  flags: ["quiet"],
  lists: ["from"],
} as const;

/** The options of a command line, checked. */
interface ReplaySettings {
  file: string;
  to: NetAddr;
  speed: number;
  rate: number | undefined;
  loop: number;
  port: number | undefined;
  from: string[] | undefined;
  quiet: boolean;
}

/** The program `replay`. Returns its exit code. */
export async function replay(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  if (isAnswered(options.flags, HELP)) return EXIT.done;
  const settings = replaySettings(options);
  const { file, to } = settings;
  const read = file === STANDARD_INPUT ? [] : [file];
  const needs = { ...toConnect(to), read };
  const what = `replay to ${formatAddress(to)}`;
  requirePermissions([[what, needs]], { script, args });
  return await run(settings);
}

function replaySettings(
  { values, flags, lists, rest }: Options<typeof OPTIONS>,
): ReplaySettings {
  const [file] = rest;
  if (file === undefined || file === "") {
    throw new UsageError("FILE is missing");
  }
  if (rest.length > 1) {
    throw new UsageError(`expected one FILE, got ${rest.length}`);
  }
  notBoth(values, "speed", "rate");
  const loop = wholeNumber("loop", values.loop, 1, 1);
  if (file === STANDARD_INPUT && loop > 1) {
    throw new UsageError("--loop: standard input can be read only once");
  }
  lists.from?.forEach(rangeOf);
  return {
    file,
    to: target(values.to),
    speed: speed(values.speed),
    rate: rate("rate", values.rate, undefined),
    loop,
    port: wholeNumber("port", values.port, 1, undefined, 65_535),
    from: lists.from,
    quiet: flags.quiet,
  };
}

function target(text: string | undefined): NetAddr {
  if (text === undefined) {
    throw new UsageError("--to is missing, such as 127.0.0.1:62000");
  }
  const address = toDestination(text);
  const isUdp = address.transport === "udp" && address.scheme === undefined;
  if (isUdp) return address;
  throw new UsageError(
    `--to ${quote(text)}: must be an address of UDP, such as 127.0.0.1:62000`,
  );
}

function speed(text = "1"): number {
  if (text === "max") return Infinity;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new UsageError(
    `--speed ${quote(text)}: must be a number above 0, such as 2, or max`,
  );
}

async function run(settings: ReplaySettings): Promise<number> {
  const { file, loop, quiet, from, port } = settings;
  const interruption = new AbortController();
  const { signal } = interruption;
  using _ = onInterrupt(() => interruption.abort());
  const looking = lookUp(settings.to);
  await beforeAbort(looking, signal);
  if (signal.aborted) return EXIT.done;
  const to = await looking;
  // Opening a pipe waits for its writer.
  const opening = openSource(file);
  await beforeAbort(opening, signal);
  if (signal.aborted) return EXIT.done;
  let source = await opening;
  if (port !== undefined && !source.hasPorts) {
    throw new UsageError("--port: a store does not know ports; leave it out");
  }
  const warnings = new Warnings();
  const player = new Player({
    clock: systemClock,
    pace: settings,
    port,
    from,
    signal,
    open: async (_, oldest) => oldest ?? await open(to),
    report: (error) => warnings.onceAlike(reasonOf(error)),
  });
  if (!quiet) {
    const what = file === STANDARD_INPUT ? "standard input" : quote(file);
    say(`replaying ${what} to ${formatAddress(to)} ${pace(settings)}`);
  }
  const began = performance.now();
  using progress = showProgress(() => `sent ${player.stats.sent}`, quiet);
  try {
    for (let n = 0; n < loop && !signal.aborted; n++) {
      if (n > 0) source = await openSource(file);
      await player.play(source);
    }
  } finally {
    progress[Symbol.dispose]();
    await player.close();
    if (!quiet) {
      describe(player, source, performance.now() - began).forEach(say);
    }
  }
  return player.stats.failed > 0 ? EXIT.notSent : EXIT.done;
}

/** Rejects at once an address that cannot be reached, and looks its name up once. */
async function lookUp(to: NetAddr): Promise<NetAddr> {
  await using socket = await connect(to);
  return socket.remote;
}

async function open(to: NetAddr): Promise<Sender> {
  const socket = await connect(to);
  return {
    send: ({ data }) => socket.send(data),
    close: () => socket[Symbol.asyncDispose](),
  };
}

function pace({ speed, rate }: ReplaySettings): string {
  if (rate !== undefined) return `at ${rate} datagrams per second`;
  if (speed === Infinity) return "at once";
  return speed === 1 ? "as captured" : `${speed} times as fast as captured`;
}

/** Returns the totals as lines. */
function describe(player: Player, source: ReplaySource, ms: number): string[] {
  const { sent, failed, filtered, reused, latestMs } = player.stats;
  const parts = [
    `sent ${count(sent, "datagram")} in ${(ms / 1000).toFixed(1)} s`,
    `at most ${latestMs.toFixed(1)} ms late`,
  ];
  if (failed > 0) parts.push(`${failed} not sent`);
  if (filtered > 0) parts.push(`${filtered} not selected`);
  if (reused > 0) parts.push(`${count(reused, "socket")} reused`);
  const left = Object.entries(source.left).filter(([, n]) => n > 0)
    .map(([kind, n]) => `${n} ${kind}`);
  return left.length === 0
    ? [parts.join(", ")]
    : [parts.join(", "), `besides in the file: ${left.join(", ")}`];
}

if (import.meta.main) {
  await runProgram("replay", () => replay(Deno.args, import.meta.filename!));
}

import { makeCertificate } from "../../lib/testing/certificate.ts";
import {
  type CarrierName,
  CARRIERS,
  type MeasuredCarrier,
  type Trust,
} from "../lib/carriers.ts";
import { Child, denoProgram, NET, temporaryFolder } from "../lib/child.ts";
import { SIZE } from "../lib/datagrams.ts";
import { column, ratio, tenths } from "../lib/format.ts";
import type { Figures, Group, Start } from "../lib/group.ts";
import { atLeast } from "../lib/least.ts";
import { figure } from "../lib/results.ts";

const MEASURED = ["tcp", "tls", "quic-reliable"] as const;
const KINDS = ["library", "program"] as const;
const AT_MOST = 2;
// A 99th percentile takes many round trips: about 90 of those in both windows are
// beyond it.
const LEAST_SECONDS = 1;
// A round has so many windows of each kind in turn, as a server becomes faster
// while its code is compiled, and a machine faster or slower.
const WINDOWS = 2;
// The peers would soon have had all their answers.
const UNLIMITED = "1000000/s";

type Kind = typeof KINDS[number];

/** An echo server, and the certificate that its clients trust. */
interface Server extends AsyncDisposable {
  port: number;
  cert?: string | undefined;
}

/**
 * A good peer makes round trips to an echo server: in turn alone, and while a
 * deaf, a flooding, a resetting and a slow peer are at work.
 */
export const badPeers: Group = {
  name: "bad-peers",
  title: "Round trips of a good peer beside bad ones",
  isOnRequest: true,
  tables: [{
    rows: "carrier and server",
    metric: "p99",
    columns: [
      column("p99 µs beside them", "p99", tenths),
      column("p99 µs alone", "p99Alone", tenths),
      column("beside / alone", "p99Ratio", ratio),
      column("p50 µs beside them", "p50", tenths),
      column("p50 µs alone", "p50Alone", tenths),
    ],
  }],
  targets: MEASURED.flatMap((carrier) =>
    KINDS.map((kind) => ({
      what: `${labelOf(carrier, kind)}, p99 beside bad peers / alone`,
      metric: "p99Ratio",
      subject: idOf(carrier, kind),
      isRatio: true,
      atMost: AT_MOST,
    }))
  ),
  cases: MEASURED.flatMap((carrier) =>
    KINDS.map((kind) => ({
      ...{ size: SIZE, implementation: carrier, needs: [carrier] },
      label: labelOf(carrier, kind),
      id: idOf(carrier, kind),
      measure: (start, seconds) =>
        measure(carrier, kind, start, atLeast(LEAST_SECONDS, seconds)),
    }))
  ),
};

function labelOf(carrier: CarrierName, kind: Kind): string {
  return `${CARRIERS[carrier].label}, ${kind}`;
}

function idOf(carrier: CarrierName, kind: Kind): string {
  return `bad peers, ${carrier}, ${kind}`;
}

async function measure(
  carrier: CarrierName,
  kind: Kind,
  start: Start,
  seconds: number,
): Promise<Figures> {
  await using server = kind === "library"
    ? await library(carrier, start, seconds)
    : await program(carrier);
  const { port, cert } = server;
  const there = cert === undefined ? [port] : [port, cert];
  const trips = async () => {
    await using ping = start(carrier, "ping", SIZE, seconds, ...there);
    return await ping.next<Figures>();
  };
  const besideBadPeers = async () => {
    await using peers = new Child([
      ...denoProgram("processes/bad_peers.ts", [
        ...[NET, "--allow-sys=setPriority"],
      ]),
      ...[carrier, ...there],
    ]);
    await peers.next();
    return await trips();
  };
  // The first connections to a server that has just started are slow, which would
  // make the good peer alone look slow.
  await trips();
  const alone: Figures[] = [];
  const beside: Figures[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    alone.push(await trips());
    beside.push(await besideBadPeers());
  }
  const p99 = mean(beside, "p99");
  const p99Alone = mean(alone, "p99");
  return {
    ...{ p50: mean(beside, "p50"), p50Alone: mean(alone, "p50") },
    ...{ p99, p99Alone, p99Ratio: p99 / p99Alone },
  };
}

function mean(windows: readonly Figures[], name: string): number {
  const sum = windows.reduce((sum, each) => sum + figure(each, name), 0);
  return sum / windows.length;
}

/** Starts `serve` with a handler that returns what it gets. */
async function library(
  carrier: CarrierName,
  start: Start,
  seconds: number,
): Promise<Server> {
  // It ends by itself some time after its window, which is that of all pings.
  const windows = 1 + 2 * WINDOWS;
  const child = start(carrier, "serve", SIZE, windows * seconds);
  const { port, cert } = await child.next<{ port: number; cert?: string }>();
  return {
    port,
    cert,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Starts the program `server.ts --echo`. */
async function program(carrier: CarrierName): Promise<Server> {
  const { scheme, isEncrypted, flags = [] }: MeasuredCarrier =
    CARRIERS[carrier];
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const { cert, key }: Trust = isEncrypted
    ? await makeCertificate({ hosts: ["127.0.0.1"], days: 1 })
    : {};
  const files: string[] = [];
  for (const [name, text] of Object.entries({ cert, key })) {
    if (text === undefined) continue;
    const path = `${folder.path}/${name}.pem`;
    await Deno.writeTextFile(path, text);
    files.push(`--${name}`, path);
  }
  const child = stack.use(
    new Child([
      ...denoProgram("../server.ts", [
        ...[NET, "--allow-env=PLI_TOKEN", `--allow-read=${folder.path}`],
      ]),
      ...[`${scheme}://127.0.0.1:0`, "--echo", ...flags, ...files],
      ...["--answer-limit", UNLIMITED],
    ], "discarded"),
  );
  const [, port] = await child.logged(/^listening on .*:(\d+)$/);
  const opened = stack.move();
  return {
    port: Number(port),
    cert,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

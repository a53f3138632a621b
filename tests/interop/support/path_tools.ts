/** Measures one path with this library, irtt and iperf3, each beside the truth. */
import { measure, type MeasureResult } from "../../../lib/measure.ts";
import type { Faults, RelayStats } from "../../../lib/testing/mod.ts";

/** The length of all datagrams that are measured, in bytes. */
export const SIZE = 200;

/** What one direction of the path did. */
export interface WayTruth {
  readonly sent: number;
  readonly reached: number[];
  readonly duplicates: number;
  readonly reordering: MeasureResult["reordering"]["out"];
  readonly heldMs: { readonly p50: number; readonly p99: number };
}

/** What the path did. */
export interface PathTruth {
  readonly up: WayTruth;
  readonly down: WayTruth;
  readonly ledger: RelayStats;
  readonly kernelDrops: number | undefined;
}

/** A path with faults. */
export interface PathSettings {
  readonly seed: number;
  readonly up: Faults;
  readonly down: Faults;
  readonly rate: number;
  readonly seconds: number;
  /** How long this library waits for answers. @default {2000} */
  readonly waitMs?: number;
}

const here = import.meta.dirname!;

/** Measures with this library. */
export async function byPli(settings: PathSettings) {
  await using reflector = child("path_reflector.ts", []);
  const port = await reflector.line();
  const { result, truth } = await overPath(port, settings, async (path) => {
    await using running = measure(`udp://127.0.0.1:${path}`, {
      rate: settings.rate,
      durationMs: settings.seconds * 1000,
      waitMs: settings.waitMs ?? 2000,
      size: SIZE,
    });
    return await running.result;
  });
  return { result, truth };
}

/** What irtt reports. */
export interface IrttResult {
  readonly stats: {
    readonly packets_sent: number;
    readonly packets_received: number;
    readonly server_packets_received: number;
    readonly duplicates: number;
    readonly late_packets: number;
    readonly packet_loss_percent: number;
    readonly upstream_loss_percent: number;
    readonly downstream_loss_percent: number;
    readonly rtt: { readonly median: number };
  };
}

/** Measures with irtt. */
export async function byIrtt(settings: PathSettings) {
  const port = freePort("udp");
  await using _server = command("irtt", [
    ...["server", "-b", `127.0.0.1:${port}`, "-i", "0", "-d", "0"],
  ]);
  return await overPath(port, settings, async (path) => {
    const text = await output("irtt", [
      ...["client", "-i", `${1000 / settings.rate}ms`],
      ...["-d", `${settings.seconds * 1000}ms`, "-l", `${SIZE}`, "--wait=2s"],
      ...["-o", "-", "-Q", `127.0.0.1:${path}`],
    ]);
    return JSON.parse(text) as IrttResult;
  });
}

/** What iperf3 reports. */
export interface Iperf3Result {
  readonly end: {
    readonly sum: {
      readonly packets: number;
      readonly lost_packets: number;
      readonly jitter_ms: number;
    };
    readonly streams: readonly {
      readonly udp: { readonly out_of_order: number };
    }[];
  };
}

/** Measures one direction with iperf3, whose control connection has no faults. */
export async function byIperf3(settings: PathSettings) {
  const port = freePort("tcp");
  await using _server = command("iperf3", [
    ...["-s", "-J", "-1", "-B", "127.0.0.1", "-p", `${port}`],
  ]);
  await listens(port);
  return await overPath(port, settings, async (path) => {
    await using _control = forward(path, port);
    const bits = settings.rate * SIZE * 8;
    const text = await output("iperf3", [
      ...["-c", "127.0.0.1", "-p", `${path}`, "-u", "-l", `${SIZE}`],
      ...["-b", `${bits}`, "-t", `${Math.ceil(settings.seconds)}`, "-J"],
      "--get-server-output",
    ]);
    return JSON.parse(text).server_output_json as Iperf3Result;
  });
}

/** Runs a measurement over a path to a port, and returns the path's truth too. */
async function overPath<T>(
  port: number,
  { seed, up, down }: PathSettings,
  run: (path: number) => Promise<T>,
): Promise<{ result: T; truth: PathTruth }> {
  await using path = child("faulty_path.ts", [
    `udp://127.0.0.1:${port}`,
    `${seed}`,
    `${SIZE}`,
    JSON.stringify(up),
    JSON.stringify(down),
  ]);
  const result = await run(await path.line());
  return { result, truth: await path.end() };
}

/** Starts a script of this folder, which prints a port. */
function child(script: string, args: string[]) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${here}/${script}`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const text = process.stdout.pipeThrough(new TextDecoderStream());
  const chunks = text[Symbol.asyncIterator]();
  let seen = "";
  let isClosed = false;
  const close = async () => {
    if (!isClosed) await process.stdin.close();
    isClosed = true;
  };
  return {
    /** Returns the port. */
    async line(): Promise<number> {
      while (!seen.includes("\n")) {
        const { done, value } = await chunks.next();
        if (done) throw new Error(`${script} ended`);
        seen += value;
      }
      const [line = "", ...rest] = seen.split("\n");
      seen = rest.join("\n");
      return Number(line);
    },
    /** Ends it, and returns what it prints then. */
    async end(): Promise<PathTruth> {
      await close();
      for (let next; !(next = await chunks.next()).done;) seen += next.value;
      return JSON.parse(seen);
    },
    async [Symbol.asyncDispose]() {
      await close();
      while (!(await chunks.next()).done);
      await process.status;
    },
  };
}

/** Starts a program that runs until it is disposed of. */
function command(name: string, args: string[]): AsyncDisposable {
  const process = new Deno.Command(name, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await process.status;
    },
  };
}

async function output(name: string, args: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(name, { args })
    .output();
  const [text, error] = [stdout, stderr].map((b) =>
    new TextDecoder().decode(b)
  );
  if (!success) throw new Error(`${name}: ${error}${text}`);
  return text!;
}

/** Forwards TCP connections from one port to another. */
function forward(from: number, to: number): AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: from });
  const running = (async () => {
    const pipes: Promise<unknown>[] = [];
    for await (const conn of listener) {
      const onward = await Deno.connect({ hostname: "127.0.0.1", port: to });
      pipes.push(
        conn.readable.pipeTo(onward.writable).catch(() => {}),
        onward.readable.pipeTo(conn.writable).catch(() => {}),
      );
    }
    await Promise.all(pipes);
  })();
  return {
    async [Symbol.asyncDispose]() {
      listener.close();
      await running;
    },
  };
}

/** Waits until a server takes connections, without making one. */
async function listens(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const row = new RegExp(`0100007F:${hex} 00000000:0000 0A`);
  // Deno reads files there with all permissions only.
  const table = new Deno.Command("cat", { args: ["/proc/net/tcp"] });
  const rows = async () =>
    new TextDecoder().decode((await table.output()).stdout);
  while (!row.test(await rows())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function freePort(transport: "tcp" | "udp"): number {
  const options = { hostname: "127.0.0.1", port: 0 };
  const socket = transport === "tcp"
    ? Deno.listen(options)
    : Deno.listenDatagram({ ...options, transport });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

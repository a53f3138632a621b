// The roles that receive and send runs.
import { Buffer } from "node:buffer";
import {
  bind,
  type CarrierSource,
  type ReceivedRun,
  type RunOptions,
} from "../../mod.ts";
import { type Args, counted, hostsInTurn, report } from "./meter.mjs";
import type { Sockets } from "./sockets.ts";

// Sent by one call; what the C program sends by one.
const MANY = 16 * 128;
const MANY_BYTES = 1024 * 1024;

/**
 * Makes the roles. `runs` reads the first byte of each datagram, `runs-reuse` the
 * same in one memory for all runs, and `runs-check` compares all bytes.
 */
export function runRoles({ listen, dial }: Sockets) {
  const receive =
    (take: (run: ReceivedRun, args: Args) => void, options: RunOptions = {}) =>
    async (args: Args) => {
      const socket = await listen();
      report(args.seconds);
      for await (const run of socket.runs(options)) take(run, args);
    };
  return {
    runs: receive(read),
    "runs-reuse": receive(read, { reuse: true }),
    "runs-check": receive(check, { reuse: true }),
    async "send-run"({ size, seconds, port }: Args) {
      const socket = await dial(port);
      const data = new Uint8Array(MANY * size).fill(1);
      report(seconds);
      for (;;) {
        const sent = await socket.sendRun(data, size);
        counted.datagrams += sent;
        counted.bytes += sent * size;
      }
    },
  };
}

/** Sends runs to hosts in turn, at an even rate. */
export function pacedRuns(options: { carrier: CarrierSource }) {
  return async (args: Args) => {
    const { size, seconds, port, perSecond } = args;
    const socket = bind("udp://0.0.0.0:0", options);
    const to = hostsInTurn(args.hosts).map((hostname) => ({
      ...{ transport: "udp", hostname, port } as const,
    }));
    const most = Math.max(1, Math.min(MANY, Math.floor(MANY_BYTES / size)));
    const data = new Uint8Array(most * size).fill(1);
    report(seconds);
    const start = performance.now();
    for (let sent = 0, calls = 0;; calls++) {
      const elapsed = (performance.now() - start) / 1000;
      const due = perSecond === 0 ? Infinity : elapsed * perSecond - sent;
      const count = Math.min(Math.floor(due), most);
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      else {
        const run = data.subarray(0, count * size);
        await socket.sendRun(run, size, to[calls % to.length]!);
      }
      sent += count;
      counted.datagrams += count;
      counted.bytes += count * size;
    }
  };
}

function read({ data, segmentSize, count }: ReceivedRun): void {
  let sum = 0;
  for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
    sum += data[at] ?? 0;
  }
  counted.datagrams += count;
  counted.bytes += data.length;
  counted.sum += sum;
}

const ONES = Buffer.alloc(65_536, 1);

function check(run: ReceivedRun, { size }: Args): void {
  const { data, segmentSize, count } = run;
  counted.datagrams += count;
  counted.bytes += data.length;
  const { buffer, byteOffset, length } = data;
  const isAsSent = segmentSize === size && length === count * size &&
    Buffer.from(buffer, byteOffset, length).equals(ONES.subarray(0, length));
  if (isAsSent) counted.sum += count;
}

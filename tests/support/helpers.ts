import {
  type BaseSocket,
  bind,
  connect,
  type Data,
  type SocketOptions,
} from "../../mod.ts";

/** Any free port on loopback. */
export const LOOPBACK = "udp://127.0.0.1:0";

/** Ends a test that would otherwise hang. No test asserts how long something took. */
export const SOON = { timeoutMs: 30_000 };
// After so long something will not happen any more.
const NEVER_MS = 60_000;

/** The address of fake carriers, and the peer that their datagrams come from. */
export const LOCAL: Deno.NetAddr = net("127.0.0.1", 62_000);
export const PEER: Deno.NetAddr = net("127.0.0.1", 40_000);
export const STRANGER: Deno.NetAddr = net("127.0.0.1", 40_001);

export function net(hostname: string, port: number): Deno.NetAddr {
  return { transport: "udp", hostname, port };
}

export function bytesOf(data: Data): Uint8Array<ArrayBuffer> {
  return typeof data === "string"
    ? new TextEncoder().encode(data)
    : new Uint8Array(data);
}

/** Makes bytes that differ from their neighbors, and from those of another size. */
export function pattern(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8) + size);
}

/** Waits for one turn of the event loop, after which nothing more happens by itself. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits until the condition holds, and fails if it never does. */
export async function until(
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + NEVER_MS;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Whether a promise is still pending after a turn of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const nothing = Symbol();
  await turn();
  return await Promise.race([promise, nothing]).catch(() => 0) === nothing;
}

/** Returns random whole numbers below a limit, the same for the same seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

/** Returns the arguments of `console.error` while `run` runs. */
export async function consoleErrors(
  run: () => Promise<void>,
): Promise<unknown[][]> {
  const { error } = console;
  const calls: unknown[][] = [];
  console.error = (...args: unknown[]) => void calls.push(args);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return calls;
}

/** A socket on loopback, and a function by which its peer sends to it. */
export interface Pair extends AsyncDisposable {
  socket: BaseSocket<Deno.NetAddr>;
  send(data: Data): Promise<void>;
}

/** Runs the same test for both kinds of sockets. */
export function testBoth(
  promise: string,
  run: (open: (options?: SocketOptions) => Promise<Pair>) => Promise<void>,
): void {
  Deno.test(`bound: ${promise}`, () => run(openBound));
  Deno.test(`connected: ${promise}`, () => run(openConnected));
}

async function openBound(options?: SocketOptions): Promise<Pair> {
  const socket = bind(LOOPBACK, options);
  const peer = await connect(socket.addr);
  return { ...pairOf(socket, peer), send: (data) => peer.send(data) };
}

async function openConnected(options?: SocketOptions): Promise<Pair> {
  const peer = bind(LOOPBACK);
  const socket = await connect(peer.addr, options);
  return {
    ...pairOf(socket, peer),
    send: (data) => peer.send(data, socket.addr),
  };
}

function pairOf(socket: BaseSocket<Deno.NetAddr>, peer: AsyncDisposable) {
  return {
    socket,
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
}

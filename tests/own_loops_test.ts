import { assert, assertEquals } from "@std/assert";
import {
  bind,
  connect,
  type ConnectedSocket,
  Datagram,
  type DatagramSocket,
} from "../mod.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const PATIENCE_MS = SOON.timeoutMs;
// A slow machine would never answer as often as the usual limit allows.
const WITHHELD = { answerLimit: { perSecond: 1, burst: 1 } };
const LARGE = new Uint8Array(70_000);
const QUESTION = new Datagram(new Uint8Array(1), PEER);

interface Sockets {
  readonly bound: DatagramSocket;
  readonly client: ConnectedSocket;
}

/** Calls whose promises are settled without waiting for anything. */
const AT_ONCE: Record<string, (sockets: Sockets) => Promise<unknown>> = {
  "send of a wrong type": ({ bound }) => bound.send(5 as Any, PEER),
  "send of a message that is too long": ({ bound }) => bound.send(LARGE, PEER),
  "send to an invalid address": ({ bound }) => bound.send("x", "nowhere"),
  "send with a signal that was aborted": ({ client }) =>
    client.send("x", { signal: AbortSignal.abort() }),
  "sendMany of nothing": ({ bound }) => bound.sendMany([]),
  "sendMany of no iterable": ({ bound }) => bound.sendMany(5 as Any),
  "sendMany with a signal that was aborted": ({ bound }) =>
    bound.sendMany([], { signal: AbortSignal.abort() }),
  "sendRun of a wrong segment size": ({ bound }) => bound.sendRun("x", 0, PEER),
  "sendRun with a signal that was aborted": ({ client }) =>
    client.sendRun("x", 1, { signal: AbortSignal.abort() }),
  "runs with a signal that was aborted": ({ bound }) =>
    bound.runs({ signal: AbortSignal.abort() }).next(),
  "receive with a wrong option": ({ bound }) =>
    bound.receive({ timeoutMs: -1 }),
  "receive with a signal that was aborted": ({ bound }) =>
    bound.receive({ signal: AbortSignal.abort() }),
  "batches with a signal that was aborted": ({ bound }) =>
    bound.batches({ signal: AbortSignal.abort() }).next(),
  "request of a wrong type": ({ client }) => client.request(5 as Any),
  "request with a wrong option": ({ client }) =>
    client.request("x", { retries: -1 }),
  "request with a signal that was aborted": ({ client }) =>
    client.request("x", { signal: AbortSignal.abort() }),
  "answer to no datagram": ({ bound }) => bound.answer("x", {} as Any),
  "answer that is withheld": ({ bound }) => bound.answer("x", QUESTION),
  "joinMulticast without a carrier for it": ({ bound }) =>
    bound.joinMulticast("239.1.2.3"),
  "connect to no address": () => connect("nowhere"),
  kernelDrops: ({ bound }) => bound.kernelDrops(),
};

const ON_CLOSED: Record<string, (sockets: Sockets) => Promise<unknown>> = {
  send: ({ bound }) => bound.send("x", PEER),
  sendMany: ({ bound }) => bound.sendMany([{ data: "x", to: PEER }]),
  receive: ({ client }) => client.receive(),
  tryReceive: ({ client }) => client.tryReceive(),
  request: ({ client }) => client.request("x"),
  batches: ({ bound }) => bound.batches().next(),
  runs: ({ bound }) => bound.runs().next(),
  sendRun: ({ bound }) => bound.sendRun("x", 1, PEER),
  iteration: ({ bound }) => bound[Symbol.asyncIterator]().next(),
};

/** Repeats a call until a timer of 1 ms and a signal have fired. */
async function untilTimers(call: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  const signal = AbortSignal.timeout(1);
  let isOver = false;
  const timer = setTimeout(() => isOver = true, 1);
  try {
    while (!isOver || !signal.aborted) {
      await call().catch(() => {});
      assert(performance.now() - start < PATIENCE_MS, "no turn");
    }
  } finally {
    clearTimeout(timer);
  }
}

for (const [what, call] of Object.entries(AT_ONCE)) {
  Deno.test(`timers run during a program's loop of ${what}`, async () => {
    const { socket: bound } = fakeBound(WITHHELD);
    const { socket: client } = fakeClient();
    await untilTimers(() => call({ bound, client }));
    bound.close();
    client.close();
  });
}

for (const [what, call] of Object.entries(ON_CLOSED)) {
  Deno.test(`timers run during a program's loop of ${what} on a closed socket`, async () => {
    const { socket: bound } = fakeBound();
    const { socket: client } = fakeClient();
    bound.close();
    client.close();
    await untilTimers(() => call({ bound, client }));
  });
}

Deno.test("timers run while a socket echoes to itself", async () => {
  await using socket = bind(LOOPBACK);
  for (let n = 0; n < 50; n++) await socket.send("x", socket.addr);
  let isOver = false;
  const timer = setTimeout(() => isOver = true, 1);
  for await (const { data } of socket) {
    if (isOver) break;
    await socket.send(data, socket.addr);
  }
  clearTimeout(timer);
});

Deno.test("timers run while many loops of bad messages begin together", async () => {
  const { socket } = fakeBound();
  let isOver = false;
  setTimeout(() => isOver = true, 1);
  const reads: number[] = Array(200).fill(0);
  const endless = function* (loop: number) {
    for (; !isOver; reads[loop]!++) yield { data: 5 as Any, to: PEER };
  };
  const loops = reads.map((_, loop) =>
    socket.sendMany(endless(loop)).catch(() => {})
  );
  // All of them share the first 2 ms, which the first ones have used up.
  const { length } = reads.slice(100).filter((count) => count > 100);
  assertEquals(length, 0);
  await Promise.all(loops);
  assertEquals(socket.stats.sending, 0);
  socket.close();
});

import { assert, assertEquals } from "@std/assert";
import {
  InvalidAddressError,
  MessageTooLargeError,
  SocketClosedError,
} from "../mod.ts";
import { batchBound } from "./support/fake_batches.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import { LOCAL, net, PEER } from "./support/helpers.ts";
import {
  BOUND,
  broken,
  CLIENT,
  closed,
  closing,
  LARGE,
  NOW,
  refused,
  testFailures,
} from "./support/failures.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const slow = { send: () => new Promise<number>(() => {}) };
const failing = { send: () => Promise.reject(refused()) };

testFailures([
  [
    "bound send: not an address",
    () => fakeBound().socket.send("x", "x"),
    InvalidAddressError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound send: another scheme",
    () => fakeBound().socket.send("x", "tls://127.0.0.1:1"),
    InvalidAddressError,
    {
      operation: "send",
      local: LOCAL,
      remote: {
        transport: "tcp",
        scheme: "tls",
        hostname: "127.0.0.1",
        port: 1,
      },
    },
  ],
  [
    "bound send: an unnamed peer",
    () =>
      fakeBound().socket.send(
        "x",
        { transport: "unixpacket", path: null } as Any,
      ),
    Deno.errors.NotSupported,
    { operation: "send", ...BOUND },
  ],
  [
    "bound send: too large",
    () => fakeBound().socket.send(LARGE, PEER),
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: closed",
    () => closed(fakeBound().socket).send("x", PEER),
    SocketClosedError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: the carrier",
    () => broken(failing).send("x", PEER),
    Deno.errors.NetworkUnreachable,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: time-out",
    () => broken(slow).send("x", PEER, NOW),
    Deno.errors.TimedOut,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: an option",
    () => fakeBound().socket.send("x", PEER, { timeoutMs: -1 }),
    RangeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound answer: too large",
    async () => {
      const { carrier, socket } = fakeBound();
      carrier.deliver("x");
      return await socket.answer(LARGE, await socket.receive());
    },
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendRun: too large",
    () => fakeBound().socket.sendRun(LARGE, LARGE.length, PEER),
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendRun: the carrier",
    () => broken(failing).sendRun("xyz", 1, PEER),
    Deno.errors.NetworkUnreachable,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendRun: time-out",
    () => broken(slow).sendRun("xyz", 1, PEER, NOW),
    Deno.errors.TimedOut,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendRun: a segment size",
    () => fakeBound().socket.sendRun("x", 0, PEER),
    RangeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendMany: some",
    () => fakeBound().socket.sendMany([{ data: LARGE, to: PEER }]),
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany in batches: some",
    () => {
      const { carrier, socket } = batchBound();
      carrier.onBatch = () => ({ sent: 0, error: refused() });
      return socket.sendMany([{ data: "x", to: PEER }]);
    },
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "connected sendMany: some",
    () => fakeClient().socket.sendMany([LARGE]),
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany: time-out",
    () => broken(slow).sendMany([{ data: "x", to: PEER }], NOW),
    Deno.errors.TimedOut,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany: closed",
    () => closed(fakeBound().socket).sendMany([{ data: "x", to: PEER }]),
    SocketClosedError,
    { operation: "send", ...CLIENT },
  ],
  [
    "request: time-out",
    () => fakeClient().socket.request("x", NOW),
    Deno.errors.TimedOut,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: closed before",
    () => closed(fakeClient().socket).request("x"),
    SocketClosedError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: closed meanwhile",
    () => closing(fakeClient(), (socket) => socket.request("x")),
    SocketClosedError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: an option",
    () => fakeClient().socket.request("x", { retries: -1 }),
    RangeError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: the last send",
    () => {
      const { carrier, socket } = fakeClient();
      carrier.onSend = () => Promise.reject(refused());
      return socket.request("x", NOW);
    },
    Deno.errors.NetworkUnreachable,
    { operation: "send", ...CLIENT },
  ],
  [
    "request: too large",
    () => fakeClient().socket.request(LARGE),
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
]);

Deno.test("each error in an AggregateError names its own peer", async () => {
  const { socket } = fakeBound();
  const peers = [net("127.0.0.1", 1), net("127.0.0.1", 2)];
  const error = await socket.sendMany(peers.map((to) => ({ data: LARGE, to })))
    .catch((error) => error);
  assert(error instanceof AggregateError);
  assertEquals(error.errors.map(({ remote }) => remote), peers);
  socket.close();
});

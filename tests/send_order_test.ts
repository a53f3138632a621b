import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { bind, connect, SocketClosedError } from "../mod.ts";
import { fakeBound } from "./support/fakes.ts";
import { batchBound } from "./support/fake_batches.ts";
import {
  isPending,
  LOOPBACK,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

Deno.test("sends that overlap arrive in the order of the calls", async () => {
  for (let round = 0; round < 5; round++) {
    await using socket = bind(LOOPBACK);
    await using client = await connect(socket.addr);
    const numbers = Array.from({ length: 100 }, (_, i) => `${i}`);
    await Promise.all(numbers.map((number) => client.send(number)));
    const got = [];
    for (const _ of numbers) got.push((await socket.receive(SOON)).text());
    assertEquals(got, numbers);
  }
});

Deno.test("sends to two peers that overlap arrive in the order of the calls", async () => {
  await using socket = bind(LOOPBACK);
  await using a = bind(LOOPBACK);
  await using b = bind(LOOPBACK);
  const sending = [];
  for (let i = 0; i < 50; i++) {
    for (const { addr } of [a, b]) sending.push(socket.send(`${i}`, addr));
  }
  await Promise.all(sending);
  for (const peer of [a, b]) {
    for (let i = 0; i < 50; i++) {
      assertEquals((await peer.receive(SOON)).text(), `${i}`);
    }
  }
});

Deno.test("a send that fails does not stop those after it", async () => {
  const { carrier, socket } = fakeBound();
  carrier.onSend = (data) =>
    data.length === 2
      ? Promise.reject(new Deno.errors.NetworkUnreachable("no"))
      : Promise.resolve(data.length);
  const outcomes = await Promise.allSettled(
    ["a", "bb", "c", "dd", "e"].map((text) => socket.send(text, PEER)),
  );
  assertEquals(outcomes.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertEquals(carrier.sentTexts, ["a", "bb", "c", "dd", "e"]);
  socket.close();
});

Deno.test("a slow send to one peer does not delay a send to another", async () => {
  const { carrier, socket } = fakeBound();
  const slow = Promise.withResolvers<number>();
  carrier.onSend = (data, to) =>
    "port" in to && to.port === STRANGER.port
      ? slow.promise
      : Promise.resolve(data.length);
  const waiting = socket.send("slow", STRANGER);
  const sending = socket.send("quick", PEER);
  await turn();
  assertEquals(carrier.sentTexts, ["slow", "quick"]);
  await sending;
  assertEquals(await isPending(waiting), true);
  slow.resolve(4);
  await waiting;
  assertEquals(socket.stats.sent, 2);
  socket.close();
});

Deno.test("closing rejects the sends that wait", async () => {
  const { carrier, socket } = fakeBound();
  const gate = Promise.withResolvers<number>();
  carrier.onSend = () => gate.promise;
  const sending = ["a", "b", "c"].map((text) => socket.send(text, PEER));
  const outcomes = Promise.allSettled(sending);
  await turn();
  socket.close();
  gate.reject(new Deno.errors.Interrupted("closed"));
  for (const outcome of await outcomes) {
    assertEquals(outcome.status, "rejected");
    if (outcome.status === "rejected") {
      assertInstanceOf(outcome.reason, SocketClosedError);
    }
  }
  assertEquals(socket.stats.sendFailed, 3);
});

Deno.test("a carrier's send that rejects with undefined is an Error", async () => {
  const { carrier, socket } = fakeBound();
  for (const nothing of [undefined, null]) {
    carrier.onSend = () => Promise.reject(nothing);
    const error = await assertRejects(() => socket.send("a", PEER), Error);
    assertStrictEquals(error.cause, nothing);
  }
  socket.close();
});

/** Starts a batch that is under way until `open` is called. */
function gated() {
  const { carrier, socket } = batchBound();
  const gate = Promise.withResolvers<void>();
  carrier.onBatch = async ({ length }) => {
    await gate.promise;
    return { sent: length };
  };
  const batch = socket.sendMany([{ data: "batch", to: PEER }]);
  return { carrier, socket, batch, open: gate.resolve };
}

Deno.test("a send that gives up while it waits for a batch is never sent", async () => {
  const { carrier, socket, batch, open } = gated();
  const given = socket.send("given up", PEER, { timeoutMs: 0 });
  const after = socket.send("after", PEER);
  await assertRejects(() => given, Deno.errors.TimedOut);
  open();
  await Promise.all([batch, after]);
  await turn();
  assertEquals(carrier.sent, ["batch", "after"]);
  socket.close();
});

Deno.test("a send that waited for a batch goes before any that is called later", async () => {
  const { carrier, socket, batch, open } = gated();
  const sending = [socket.send("1", PEER), socket.send("2", PEER)];
  // These are called while the batch ends and the two above get their turn.
  carrier.onBatch = ({ length }) => ({ sent: length });
  await turn();
  open();
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    sending.push(socket.send(`${3 + microtasks}`, PEER));
    await Promise.resolve();
  }
  await Promise.all([batch, ...sending]);
  assertEquals(carrier.sent, [
    "batch",
    ...Array.from({ length: 14 }, (_, i) => `${i + 1}`),
  ]);
  socket.close();
});

Deno.test("closing ends a batch that waits for a send that is never done", async () => {
  const { carrier, socket } = batchBound();
  carrier.send = () => new Promise(() => {});
  socket.send("a", PEER).catch(() => {});
  const batch = socket.sendMany([{ data: "b", to: PEER }]);
  assertEquals(await isPending(batch), true);
  socket.close();
  await assertRejects(() => batch, SocketClosedError);
  assertEquals(carrier.sent, []);
});

Deno.test("batches that are called together are sent one after another", async () => {
  const { carrier, socket, batch, open } = gated();
  const batches = ["a", "b", "c"].map((data) =>
    socket.sendMany([{ data, to: PEER }])
  );
  const last = socket.send("d", PEER);
  open();
  await Promise.all([batch, ...batches, last]);
  assertEquals(carrier.sent, ["batch", "a", "b", "c", "d"]);
  socket.close();
});

Deno.test("closing ends sends that wait for a send or a batch that is never done", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = () => new Promise(() => {});
  carrier.send = () => new Promise(() => {});
  socket.sendMany([{ data: "stuck", to: PEER }]).catch(() => {});
  const waiting = [
    socket.send("a", PEER),
    socket.sendMany([{ data: "b", to: PEER }]),
    socket.send("c", PEER),
  ];
  const other = fakeBound();
  other.carrier.onSend = () => new Promise(() => {});
  other.socket.send("stuck", PEER).catch(() => {});
  waiting.push(other.socket.send("d", PEER));
  await turn();
  socket.close();
  other.socket.close();
  waiting.push(socket.send("e", PEER), other.socket.send("f", PEER));
  await Promise.all(
    waiting.map((each) => assertRejects(() => each, SocketClosedError)),
  );
});

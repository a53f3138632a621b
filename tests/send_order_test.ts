import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { bind, connect, SocketClosedError } from "../mod.ts";
import { fakeBound } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON, STRANGER, turn } from "./support/helpers.ts";

Deno.test("sends that overlap arrive in the order of the calls, on a fresh socket too", async () => {
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

Deno.test("answers of a bound socket that overlap arrive in the order of the calls", async () => {
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

Deno.test("a send that fails lets those after it go", async () => {
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

Deno.test("a peer to whom sending takes long holds up no send to another", async () => {
  const { carrier, socket } = fakeBound();
  const slow = Promise.withResolvers<number>();
  carrier.onSend = (data, to) =>
    to === STRANGER ? slow.promise : Promise.resolve(data.length);
  const waiting = socket.send("slow", STRANGER);
  const sending = socket.send("quick", PEER);
  await turn();
  assertEquals(carrier.sentTexts, ["slow", "quick"]);
  await sending;
  slow.resolve(4);
  await waiting;
  assertEquals(socket.stats.sent, 2);
  socket.close();
});

Deno.test("sends that wait when the socket is closed are not left waiting", async () => {
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

Deno.test("a carrier's send that rejects with nothing is an Error all the same", async () => {
  const { carrier, socket } = fakeBound();
  for (const nothing of [undefined, null]) {
    carrier.onSend = () => Promise.reject(nothing);
    const error = await assertRejects(() => socket.send("a", PEER), Error);
    assertStrictEquals(error.cause, nothing);
  }
  socket.close();
});

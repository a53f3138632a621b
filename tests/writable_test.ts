import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  connect,
  type Datagram,
  MessageTooLargeError,
  SocketClosedError,
} from "../mod.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import {
  consoleErrors,
  isPending,
  LOOPBACK,
  pattern,
  PEER,
  SOON,
  turn,
} from "./support/helpers.ts";

Deno.test("one socket's stream pipes into another's", async () => {
  await using inner = bind(LOOPBACK);
  await using target = bind(LOOPBACK);
  await using source = await connect(inner.addr);
  await using relay = await connect(target.addr);
  const piping = inner.readable.pipeTo(relay.writable);
  const sizes = [0, 1, 1_472, 65_507];
  for (const size of sizes) await source.send(pattern(size));
  for (const size of sizes) {
    assertEquals((await target.receive(SOON)).data, pattern(size));
  }
  inner.close();
  await piping;
  await relay.send("the target's socket is open still");
  assert((await target.receive(SOON)).text().endsWith("still"));
});

Deno.test("aborting a pipe leaves both sockets open and loses no datagram", async () => {
  await using inner = bind(LOOPBACK);
  await using source = await connect(inner.addr);
  const { carrier, socket } = fakeClient();
  const controller = new AbortController();
  const { signal } = controller;
  const piping = inner.readable.pipeTo(socket.writable, { signal });
  await source.send("a");
  while (carrier.sent.length === 0) await turn();
  controller.abort("stop");
  assertEquals(await piping.catch((error) => error), "stop");
  await source.send("b");
  assertEquals((await inner.receive(SOON)).text(), "b");
  await socket.send("c");
  assertEquals(carrier.sentTexts, ["a", "c"]);
  socket.close();
});

Deno.test("writable takes text, bytes and datagrams, each as one datagram", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  await client.send("to be sent again");
  const datagram = await socket.receive(SOON);
  const messages = ["text", "", pattern(3), datagram];
  const writer = client.writable.getWriter();
  for (const message of messages) await writer.write(message);
  await writer.close();
  const got: Datagram[] = [];
  for (const _ of messages) got.push(await socket.receive(SOON));
  assertEquals(got.map((each) => each.data), [
    new TextEncoder().encode("text"),
    new Uint8Array(0),
    pattern(3),
    datagram.data,
  ]);
  await client.send("closing the stream leaves the socket open");
  assertEquals((await socket.receive(SOON)).data.length, 41);
});

Deno.test("a send that fails in a pipe is reported, and the pipe goes on", async () => {
  const source = fakeBound();
  const { carrier, socket } = fakeClient();
  const reported: Error[] = [];
  socket.onSendError = (error) => void reported.push(error);
  carrier.onSend = (data) =>
    data.length === 1
      ? Promise.reject(new Deno.errors.NetworkUnreachable("no route"))
      : Promise.resolve(data.length);
  const piping = source.socket.readable.pipeTo(socket.writable);
  for (const size of [2, 1, 3, 65_508, 4]) {
    source.carrier.deliver(pattern(size));
  }
  while (carrier.sent.at(-1)?.data.length !== 4) await turn();
  await turn();
  assertEquals(reported.map(({ name }) => name), [
    "NetworkUnreachable",
    "MessageTooLargeError",
  ]);
  assert(reported[1] instanceof MessageTooLargeError);
  const { sent, sendFailed } = socket.stats;
  assertEquals([sent, sendFailed], [3, 2]);
  source.socket.close();
  await piping;
  socket.close();
});

Deno.test("without onSendError the first of several failures in a row is printed", async () => {
  const { carrier, socket } = fakeClient();
  const writer = socket.writable.getWriter();
  const printed = await consoleErrors(async () => {
    for (const size of [1, 1, 2, 1, 1]) {
      carrier.onSend = () =>
        size === 2 ? Promise.resolve(2) : Promise.reject(new Error("no"));
      await writer.write(pattern(size));
    }
  });
  const line =
    "Cannot send 1 byte from udp://127.0.0.1:62000 to udp://127.0.0.1:40000: no";
  assertEquals(printed, [[line], [line]]);
  socket.close();
});

Deno.test("writable fails only if the socket is closed", async () => {
  const { carrier, socket } = fakeClient();
  const writer = socket.writable.getWriter();
  await writer.write("a");
  socket.close();
  await assertRejects(() => writer.write("b"), SocketClosedError);
  await assertRejects(() => writer.closed, SocketClosedError);
  assertEquals(carrier.sentTexts, ["a"]);
});

Deno.test("after a writable was closed there is a new one", async () => {
  const { carrier, socket } = fakeClient();
  for (const text of ["a", "b"]) {
    await ReadableStream.from([text]).pipeTo(socket.writable);
  }
  assertEquals(carrier.sentTexts, ["a", "b"]);
  socket.close();
});

Deno.test("a writer waits until the carrier has sent", async () => {
  const { carrier, socket } = fakeClient();
  const gate = Promise.withResolvers<number>();
  carrier.onSend = () => gate.promise;
  const writer = socket.writable.getWriter();
  const first = writer.write("a");
  const second = writer.write("b");
  assertEquals(await isPending(first), true);
  assertEquals(carrier.sentTexts, ["a"]);
  gate.resolve(1);
  await Promise.all([first, second]);
  assertEquals(carrier.sentTexts, ["a", "b"]);
  assertEquals(carrier.sent[0]?.to, PEER);
  socket.close();
});

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { fakeBound } from "./support/fakes.ts";
import { isPending, SOON, testBoth, turn } from "./support/helpers.ts";

testBoth(
  "break leaves the socket open and loses no datagram",
  async (open) => {
    await using pair = await open();
    for (let i = 0; i < 6; i++) await pair.send(`${i}`);
    const got: string[] = [];
    for (let loop = 0; loop < 2; loop++) {
      for await (const datagram of pair.socket) {
        got.push(datagram.text());
        if (got.length % 2 === 0) break;
      }
    }
    got.push((await pair.socket.receive(SOON)).text());
    got.push((await pair.socket.tryReceive())?.text() ?? "nothing");
    assertEquals(got, ["0", "1", "2", "3", "4", "5"]);
  },
);

testBoth("an iteration ends when the socket is closed", async (open) => {
  await using pair = await open();
  const got: string[] = [];
  await pair.send("last");
  for await (const datagram of pair.socket) {
    got.push(datagram.text());
    pair.socket.close();
  }
  assertEquals(got, ["last"]);
  for await (const _ of pair.socket) got.push("after");
  assertEquals(got, ["last"]);
});

testBoth(
  "returning ends a next that waits, which consumes no datagram",
  async (open) => {
    await using pair = await open();
    const iterator = pair.socket[Symbol.asyncIterator]();
    const next = [iterator.next(), iterator.next()];
    await iterator.return?.();
    assertEquals((await Promise.all(next)).map(({ done }) => done), [
      true,
      true,
    ]);
    await pair.send("kept");
    assertEquals((await pair.socket.receive(SOON)).text(), "kept");
  },
);

testBoth("an iteration that returned is done", async (open) => {
  await using pair = await open();
  const iterator = pair.socket[Symbol.asyncIterator]();
  await iterator.return?.();
  const next = iterator.next();
  assertEquals(await isPending(next), false);
  assertEquals((await next).done, true);
  await pair.send("kept");
  assertEquals((await pair.socket.receive(SOON)).text(), "kept");
});

testBoth(
  "a stream delivers datagrams until the socket is closed",
  async (open) => {
    await using pair = await open();
    for (const text of ["a", "", "c"]) await pair.send(text);
    const got: string[] = [];
    for await (const datagram of pair.socket.readable) {
      got.push(datagram.text());
      if (got.length === 3) pair.socket.close();
    }
    assertEquals(got, ["a", "", "c"]);
  },
);

testBoth("a stream reads nothing ahead", async (open) => {
  await using pair = await open();
  const reader = pair.socket.readable.getReader();
  for (const text of ["a", "b", "c"]) await pair.send(text);
  assertEquals((await reader.read()).value?.text(), "a");
  await turn();
  assertEquals((await pair.socket.receive(SOON)).text(), "b");
  assertEquals((await reader.read()).value?.text(), "c");
});

testBoth(
  "canceling a stream leaves the socket open and consumes no datagram",
  async (open) => {
    await using pair = await open();
    const reader = pair.socket.readable.getReader();
    const reading = reader.read();
    await reader.cancel();
    assertEquals((await reading).done, true);
    await pair.send("kept");
    assertEquals((await pair.socket.receive(SOON)).text(), "kept");
  },
);

testBoth("after a stream was canceled there is a new one", async (open) => {
  await using pair = await open();
  for (const text of ["a", "b"]) {
    await pair.send(text);
    const got: string[] = [];
    for await (const datagram of pair.socket.readable) {
      got.push(datagram.text());
      break;
    }
    assertEquals(got, [text]);
  }
});

Deno.test("a stream without a reader does not read from the carrier", async () => {
  const { carrier, socket } = fakeBound();
  const { readable } = socket;
  await turn();
  assertEquals(carrier.reading, false);
  assertStrictEquals(socket.readable, readable);
  socket.close();
});

Deno.test("canceling a stream while a datagram arrives loses no datagram", async () => {
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    const { carrier, socket } = fakeBound();
    const reader = socket.readable.getReader();
    const reading = reader.read();
    await turn();
    carrier.deliver("a");
    for (let i = 0; i < microtasks; i++) await Promise.resolve();
    await reader.cancel();
    const { value } = await reading;
    const datagram = value ?? await socket.tryReceive();
    assertEquals(datagram?.text(), "a", `after ${microtasks} microtasks`);
    assertEquals(socket.stats.received, 1);
    await socket[Symbol.asyncDispose]();
  }
});

Deno.test("a loop throws an error of the carrier, and a new loop goes on", async () => {
  const { carrier, socket } = fakeBound();
  const got: string[] = [];
  const loop = async () => {
    for await (const datagram of socket) got.push(datagram.text());
  };
  carrier.deliver("a");
  carrier.fail(new Deno.errors.NetworkUnreachable("oops"));
  carrier.deliver("b");
  await assertRejects(loop, Deno.errors.NetworkUnreachable, "oops");
  const looping = loop();
  await turn();
  socket.close();
  await looping;
  assertEquals(got, ["a", "b"]);
});

Deno.test("a stream has an error of the carrier, and the socket goes on", async () => {
  const { carrier, socket } = fakeBound();
  const reader = socket.readable.getReader();
  carrier.fail(new Deno.errors.NetworkUnreachable("oops"));
  await assertRejects(
    () => reader.read(),
    Deno.errors.NetworkUnreachable,
    "oops",
  );
  for (const text of ["a", "b"]) carrier.deliver(text);
  assertEquals((await socket.receive(SOON)).text(), "a");
  const again = socket.readable.getReader();
  assertEquals((await again.read()).value?.text(), "b");
  socket.close();
});

Deno.test("ending one iteration does not end other waits", async () => {
  const { carrier, socket } = fakeBound();
  const ended = socket[Symbol.asyncIterator]();
  const first = ended.next();
  const second = socket[Symbol.asyncIterator]().next();
  const third = socket.receive(SOON);
  await ended.return?.();
  assertEquals((await first).done, true);
  for (const text of ["a", "b"]) carrier.deliver(text);
  assertEquals((await second).value?.text(), "a");
  assertEquals((await third).text(), "b");
  socket.close();
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Addressed, bind, connect, SocketClosedError } from "../mod.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON, turn } from "./support/helpers.ts";

Deno.test("sendMany takes an async iterable, and sends each message when it is there", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const sending = client.sendMany(readable);
  for (const text of ["a", "b"]) {
    await writer.write(text);
    assertEquals((await socket.receive(SOON)).text(), text);
  }
  await writer.close();
  assertEquals(await sending, 2);
  const addressed = async function* () {
    await turn();
    yield { data: "c", to: client.addr };
  };
  assertEquals(await socket.sendMany(addressed()), 1);
  assertEquals((await client.receive(SOON)).text(), "c");
});

for (const how of ["close", "timeoutMs", "signal", "dispose"] as const) {
  Deno.test(`${how} ends a sendMany that waits for an async iterable, and ends that too`, async () => {
    const { socket } = fakeClient();
    let ends = 0;
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return() {
          ends++;
          throw new Error("return");
        },
      }),
    };
    const abort = new AbortController();
    const sending = socket.sendMany(
      silent,
      how === "timeoutMs" ? { timeoutMs: 5 } : { signal: abort.signal },
    );
    const reason = sending.catch((reason) => reason);
    await turn();
    if (how === "close") socket.close();
    if (how === "dispose") await socket[Symbol.asyncDispose]();
    if (how === "signal") abort.abort("stop");
    const thrown = await reason;
    if (how === "signal") assertEquals(thrown, "stop");
    else if (how === "timeoutMs") {
      assert(thrown instanceof Deno.errors.TimedOut);
    } else assert(thrown instanceof SocketClosedError);
    assertEquals([ends, socket.stats.sending], [1, 0]);
    socket.close();
  });
}

Deno.test("an error of an async iterable is thrown after its messages were sent", async () => {
  const { carrier, socket } = fakeClient();
  const broken = async function* () {
    yield "a";
    await turn();
    throw new TypeError("broken");
  };
  await assertRejects(() => socket.sendMany(broken()), TypeError, "broken");
  assertEquals(carrier.sentTexts, ["a"]);
  socket.close();
});

for (const end of ["comes to its end", "throws"] as const) {
  Deno.test(`an async iterable that ${end} is not ended again`, async () => {
    const { carrier, socket } = fakeClient();
    let ends = 0;
    let reads = 0;
    const messages = {
      [Symbol.asyncIterator]: () => ({
        next() {
          if (++reads <= 2) return Promise.resolve({ value: "x" });
          return end === "throws"
            ? Promise.reject(new TypeError("mine"))
            : Promise.resolve({ done: true as const, value: undefined });
        },
        return() {
          ends++;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    await socket.sendMany(messages).catch(() => {});
    assertEquals([carrier.sent.length, reads, ends], [2, 3, 0]);
    socket.close();
  });
}

Deno.test("sendMany ends although its async iterable never returns", async () => {
  const { carrier, socket } = fakeClient();
  carrier.onSend = () => Promise.reject(new Deno.errors.BadResource("closed"));
  const messages = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ value: "x" }),
      return: () => new Promise<IteratorResult<string>>(() => {}),
    }),
  };
  await assertRejects(() => socket.sendMany(messages), SocketClosedError);
  socket.close();
});

Deno.test("what an async iterable gives after the end is one failed message", async () => {
  for (const late of ["x", 5, null]) {
    const { socket } = fakeBound();
    const next = Promise.withResolvers<IteratorResult<Addressed>>();
    const messages = {
      [Symbol.asyncIterator]: () => ({ next: () => next.promise }),
    };
    await assertRejects(
      () => socket.sendMany(messages, { timeoutMs: 0 }),
      Deno.errors.TimedOut,
    );
    next.resolve({ value: { data: late as string, to: PEER } });
    await turn();
    const { sent, sendFailed, sending } = socket.stats;
    assertEquals([sent, sendFailed, sending], [0, 1, 0]);
    socket.close();
  }
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ConnectedSocket, type Datagram } from "../mod.ts";
import {
  batchBound,
  cut,
  FakeBatchCarrier,
  run,
} from "./support/fake_batches.ts";
import { fakeBound } from "./support/fakes.ts";
import {
  isPending,
  PEER,
  SOON,
  STRANGER,
  testBoth,
} from "./support/helpers.ts";

testBoth("batches delivers datagrams in order", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  for (const text of ["a", "", "c"]) await pair.send(text);
  const got: string[] = [];
  for await (const batch of socket.batches({ max: 2, ...SOON })) {
    assert(batch.length >= 1 && batch.length <= 2);
    got.push(...batch.map((datagram) => datagram.text()));
    if (got.length === 3) break;
  }
  assertEquals(got, ["a", "", "c"]);
  assertEquals([socket.stats.received, socket.stats.bytes], [3, 2]);
});

testBoth("batches that give up consume no datagram", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  await assertRejects(
    async () => {
      for await (const _ of socket.batches({ timeoutMs: 1 }));
    },
    Deno.errors.TimedOut,
  );
  const signal = AbortSignal.abort("enough");
  const thrown = await socket.batches({ signal }).next().catch((why) => why);
  assertEquals(thrown, "enough");
  await pair.send("later");
  assertEquals((await socket.receive(SOON)).text(), "later");
});

testBoth("batches end when the socket is closed", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  const batches = socket.batches();
  const waiting = batches.next();
  socket.close();
  assertEquals((await waiting).done, true);
  assertEquals((await batches.next()).done, true);
});

testBoth(
  "ending batches ends a wait and leaves the socket open",
  async (open) => {
    await using pair = await open();
    const { socket } = pair;
    const batches = socket.batches();
    const waiting = batches.next();
    await batches.return?.();
    assertEquals((await waiting).done, true);
    await pair.send("x");
    assertEquals((await socket.receive(SOON)).text(), "x");
  },
);

for (const max of [0, -1, 1.5, NaN]) {
  Deno.test(`a max of ${max} is rejected`, () => {
    const { socket } = fakeBound();
    assertThrows(() => socket.batches({ max }), RangeError, `given ${max}`);
    socket.close();
  });
}

Deno.test("batches throw an error of the carrier, and then go on", async () => {
  const { carrier, socket } = fakeBound();
  const batches = socket.batches();
  carrier.fail(new Deno.errors.NetworkUnreachable("gone"));
  await assertRejects(() => batches.next(), Deno.errors.NetworkUnreachable);
  carrier.deliver("x");
  const { value } = await batches.next();
  assertEquals(value.map((datagram: Datagram) => datagram.text()), ["x"]);
  socket.close();
});

Deno.test("a batch of the carrier is delivered as one batch", async () => {
  const { carrier, socket } = batchBound();
  carrier.deliver(run(["ab", "cd", "e"]), run([]), run(["x"], STRANGER));
  for await (const batch of socket.batches()) {
    assertEquals(
      batch.map((datagram) => [datagram.text(), datagram.from.port]),
      [
        ["ab", PEER.port],
        ["cd", PEER.port],
        ["e", PEER.port],
        ["", PEER.port],
        ["x", STRANGER.port],
      ],
    );
    break;
  }
  assertEquals([socket.stats.received, socket.stats.bytes], [5, 6]);
  socket.close();
});

Deno.test("every way to receive gets the datagrams of a batch in order", async () => {
  const { carrier, socket } = batchBound();
  const waiting = [socket.receive(), socket.receive()];
  carrier.deliver(run([..."0123456789"]));
  const got = (await Promise.all(waiting)).map((datagram) => datagram.text());
  got.push((await socket.tryReceive())?.text() ?? "none");
  for await (const datagram of socket) {
    got.push(datagram.text());
    if (got.length === 5) break;
  }
  for await (const batch of socket.batches({ max: 3 })) {
    got.push(...batch.map((datagram) => datagram.text()));
    if (got.length >= 8) break;
  }
  assertEquals(socket.stats.waiting, 2);
  assertEquals(got, [..."01234567"]);
  assertEquals(carrier.reading, false);
  socket.close();
  assertEquals(socket.stats.dropped["closed"], 2);
});

Deno.test("datagrams of a batch that are too long are cut and marked", async () => {
  const { carrier, socket } = batchBound({ maxSize: 3 });
  carrier.deliver(run(["abcde", "fghij", "kl"]));
  const { value } = await socket.batches().next();
  assertEquals(
    value.map(({ data, truncated }: Datagram) => [data.length, truncated]),
    [[3, true], [3, true], [2, false]],
  );
  assertEquals(socket.stats.truncated, 2);
  socket.close();
});

Deno.test("a kept datagram of a batch keeps at most 8 KiB beyond its own bytes alive", async () => {
  const { carrier, socket } = batchBound({ maxSize: 9000 });
  const data = new Uint8Array(60_000);
  for (const size of [1, 100, 1400, 5000, 20_000, 60_000]) {
    carrier.deliver(cut(data, size));
    const { value } = await socket.batches({ max: 1e6 }).next();
    assertEquals(value.length, Math.ceil(60_000 / size));
    for (const { data } of value) {
      assert(data.buffer.byteLength <= data.length + 8192, `${size}`);
    }
  }
  socket.close();
});

Deno.test("later batches do not change earlier datagrams", async () => {
  const { carrier, socket } = batchBound();
  const memory = new TextEncoder().encode("aabb");
  carrier.deliver(cut(memory, 2));
  const first = await socket.receive();
  memory.fill(0);
  const second = await socket.receive();
  assertEquals([first.text(), second.text()], ["aa", "bb"]);
  socket.close();
});

Deno.test("each rejected datagram of a batch is counted", async () => {
  const { carrier, socket } = batchBound({ deny: [STRANGER.hostname] });
  carrier.deliver(run(["a", "b"]), run(["c"]));
  assertEquals(await isPending(socket.receive()), true);
  assertEquals(socket.stats.dropped["denied"], 3);
  socket.close();
});

Deno.test("a connected socket counts a batch of strangers", async () => {
  const carrier = new FakeBatchCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  carrier.deliver(run(["a", "b"], STRANGER), run(["c"]));
  assertEquals((await socket.receive()).text(), "c");
  assertEquals(socket.stats.dropped["stranger"], 2);
  socket.close();
});

Deno.test("while a request waits, one batch of other datagrams is kept, more are counted", async () => {
  const carrier = new FakeBatchCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  const reply = socket.request("?", {
    timeoutMs: Infinity,
    match: (datagram) => datagram.text() === "!",
  });
  const many = Array.from({ length: 1000 }, () => "x");
  carrier.deliver(run(many));
  carrier.deliver(run(many));
  carrier.deliver(run(["!"]));
  assertEquals((await reply).text(), "!");
  const { received, waiting, dropped } = socket.stats;
  assertEquals([received, waiting, dropped["queueFull"]], [1, 1000, 1000]);
  socket.close();
});

Deno.test("a stream's reader gets the datagrams of a batch", async () => {
  const { carrier, socket } = batchBound();
  const reader = socket.readable.getReader();
  carrier.deliver(run(["a", "b"]));
  const read = async () => (await reader.read()).value?.text();
  assertEquals([await read(), await read()], ["a", "b"]);
  await reader.cancel();
  socket.close();
});

Deno.test("an error of the carrier rejects the batch that waits", async () => {
  const { carrier, socket } = batchBound();
  const error = new Deno.errors.NetworkUnreachable("refused");
  carrier.receiveBatch = () => Promise.reject(error);
  const failed = await assertRejects(
    () => socket.batches().next(),
    Deno.errors.NetworkUnreachable,
  );
  assertStrictEquals(failed.cause, error);
  socket.close();
});

Deno.test("batches that reuse memory hold the same datagrams without copies", async () => {
  const { carrier, socket } = batchBound({ maxSize: 3, deny: ["192.0.2.1"] });
  const memory = run(["abcd", "efgh", "ij"]);
  const batches = socket.batches({ reuse: true });
  const stranger = { ...STRANGER, hostname: "192.0.2.1" };
  carrier.deliver(memory, run([]), run(["x"], stranger));
  const { value } = await batches.next();
  assertEquals(
    value.map((datagram: Datagram) => [datagram.text(), datagram.truncated]),
    [["abc", true], ["efg", true], ["ij", false], ["", false]],
  );
  assertEquals(value[0].data.buffer, memory.data.buffer);
  const { received, bytes, truncated, dropped } = socket.stats;
  assertEquals([received, bytes, truncated, dropped["denied"]], [4, 8, 2, 1]);
  socket.close();
});

Deno.test("datagrams beyond the max of a batch that reuses memory are kept as copies", async () => {
  const { carrier, socket } = batchBound();
  const memory = run([..."abcde"]);
  const batches = socket.batches({ max: 2, reuse: true });
  carrier.deliver(memory);
  const { value } = await batches.next();
  assertEquals(value.length, 2);
  assertEquals(socket.stats.waiting, 3);
  memory.data.fill(0);
  assertEquals((await socket.receive()).text(), "c");
  const next = await batches.next();
  assertEquals(next.value.map((datagram: Datagram) => datagram.text()), [
    "d",
    "e",
  ]);
  socket.close();
});

Deno.test("datagrams are copied if other receivers wait too", async () => {
  const { carrier, socket } = batchBound();
  const memory = run([..."abc"]);
  const borrowed = socket.batches({ reuse: true }).next();
  const own = socket.receive();
  carrier.deliver(memory);
  const { value } = await borrowed;
  memory.data.fill(0);
  const texts = value.map((datagram: Datagram) => datagram.text());
  texts.push((await own).text());
  // If a turn is due the batch ends earlier.
  if (texts.length < 3) texts.push((await socket.receive()).text());
  assertEquals(texts.sort(), ["a", "b", "c"]);
  socket.close();
});

Deno.test("a batch whose datagrams are all rejected goes on waiting", async () => {
  const { carrier, socket } = batchBound({ deny: [STRANGER.hostname] });
  const next = socket.batches({ reuse: true, timeoutMs: 1 }).next();
  carrier.deliver(run(["a"], STRANGER));
  await assertRejects(() => next, Deno.errors.TimedOut);
  assertEquals(socket.stats.dropped["denied"], 1);
  socket.close();
});

testBoth("batches that reuse memory deliver every datagram", async (open) => {
  await using pair = await open();
  const batches = pair.socket.batches({ reuse: true, ...SOON });
  for (const text of ["a", "", "bcd"]) {
    await pair.send(text);
    const { value } = await batches.next();
    assertEquals(value.map((datagram: Datagram) => datagram.text()), [text]);
  }
});

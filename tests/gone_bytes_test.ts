import { assertEquals, assertRejects } from "@std/assert";
import { bind, ConnectedSocket } from "../mod.ts";
import { batchBound } from "./support/fake_batches.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON } from "./support/helpers.ts";

/** Bytes whose buffer was taken away, in each way that there is. */
const GONE: [string, () => Uint8Array][] = [
  ["were transferred", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    bytes.buffer.transfer();
    return bytes;
  }],
  ["were empty and transferred", () => {
    const bytes = new Uint8Array(0);
    bytes.buffer.transfer();
    return bytes;
  }],
  ["lie beyond their shrunk buffer", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
    const bytes = new Uint8Array(buffer, 4, 4);
    buffer.resize(2);
    return bytes;
  }],
  ["begin beyond their shrunk buffer", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
    const bytes = new Uint8Array(buffer, 4);
    buffer.resize(2);
    return bytes;
  }],
];

for (const [what, make] of GONE) {
  Deno.test(`bytes that ${what} are a TypeError, not an empty datagram`, async () => {
    const wanted = "its bytes are gone: the buffer was transferred or resized";
    const one = fakeClient();
    const many = batchBound();
    const client = new ConnectedSocket(many.carrier, PEER);
    await assertRejects(() => one.socket.send(make()), TypeError, wanted);
    await assertRejects(() => one.socket.request(make()), TypeError, wanted);
    for (const socket of [one.socket, client]) {
      await assertRejects(
        () => socket.sendMany(["a", make(), "b"]),
        AggregateError,
        wanted,
      );
    }
    assertEquals([one.carrier.sentTexts, many.carrier.sent], [
      ["a", "b"],
      ["a", "b"],
    ]);
    const { sent, sendFailed, sentBytes } = one.socket.stats;
    assertEquals([sent, sendFailed, sentBytes], [2, 3, 2]);
    one.socket.close();
    client.close();
  });
}

Deno.test("over UDP too, bytes that were transferred are a TypeError", async () => {
  await using socket = bind(LOOPBACK);
  const bytes = new Uint8Array(3);
  bytes.buffer.transfer();
  await assertRejects(() => socket.send(bytes, socket.addr), TypeError, "gone");
  await socket.send(new Uint8Array(3).subarray(1, 1), socket.addr);
  assertEquals((await socket.receive(SOON)).data.length, 0);
});

Deno.test("bytes that go while a send waits for its turn are a TypeError", async () => {
  const gate = Promise.withResolvers<void>();
  const { carrier, socket } = fakeBound();
  carrier.onSend = async (data) => (await gate.promise, data.length);
  const bytes = new Uint8Array(3);
  const first = socket.send("first", PEER);
  const waiting = socket.send(bytes, PEER);
  bytes.buffer.transfer();
  gate.resolve();
  await first;
  await assertRejects(() => waiting, TypeError, "Cannot send 3 bytes from");
  assertEquals(carrier.sentTexts, ["first"]);
  socket.close();
});

Deno.test("bytes that go while their send is under way are counted as they were", async () => {
  const { carrier, socket } = fakeClient();
  const gate = Promise.withResolvers<void>();
  carrier.onSend = async () => (await gate.promise, 3);
  const bytes = new Uint8Array(3);
  const sending = socket.send(bytes);
  bytes.buffer.transfer();
  gate.resolve();
  await sending;
  assertEquals(socket.stats.sentBytes, 3);
  socket.close();
});

Deno.test("in a batch, only the messages whose bytes are gone fail", async () => {
  const { carrier, socket } = batchBound();
  const messages = function* () {
    for (const text of ["a", "b", "gone", "c", "gone", "d"]) {
      const data = new TextEncoder().encode(text);
      yield { data, to: PEER };
      if (text === "gone") data.buffer.transfer();
    }
  };
  const error = await assertRejects(
    () => socket.sendMany(messages()),
    AggregateError,
    "Cannot send 2 of 6 messages: Cannot send 4 bytes from",
  );
  assertEquals(error.errors.length, 2);
  assertEquals(carrier.sent, ["a", "b", "c", "d"]);
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [4, 2, 0]);
  socket.close();
});

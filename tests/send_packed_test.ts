import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectedSocket, type SentBatch } from "../mod.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { cut, FakeRunCarrier, textsOf } from "./support/fake_batches.ts";
import { isPending, PEER, turn } from "./support/helpers.ts";

/** A client over a carrier that sends runs. */
function clientOf<C extends FakeRunCarrier>(carrier: C) {
  return { carrier, socket: new ConnectedSocket(carrier, PEER) };
}

const runClient = () => clientOf(new FakeRunCarrier());

/** Reads the bytes of a run only when it is let go, as a slow carrier does. */
class SlowRunCarrier extends FakeRunCarrier {
  // Turns do not depend on the machine's speed.
  readonly clock: Clock = { ...systemClock, isVirtual: true };
  readonly held: (() => void)[] = [];

  override async sendRun(
    data: Uint8Array<ArrayBuffer>,
    segmentSize: number,
    to: Deno.Addr,
  ): Promise<SentBatch> {
    await new Promise<void>((resolve) => this.held.push(resolve));
    const texts = textsOf(cut(data, segmentSize, to));
    this.sent.push(...texts);
    return { sent: texts.length };
  }
}

/** Texts of that length, all different. */
function texts(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`.padStart(length, "."));
}

Deno.test("messages of one length to one peer are sent as runs, in order", async () => {
  const { carrier, socket } = runClient();
  const messages = texts(5000, 8);
  assertEquals(await socket.sendMany(messages), 5000);
  assertEquals(carrier.sent, messages);
  assert(carrier.given.length <= 5000 / 64, `${carrier.given}`);
  const { sent, sentBytes, sending } = socket.stats;
  assertEquals([sent, sentBytes, sending], [5000, 40_000, 0]);
  socket.close();
});

Deno.test("messages of many lengths keep their order, also empty and long ones", async () => {
  const { carrier, socket } = runClient();
  const messages = [
    ...["", "a", "b", "", "long".repeat(9000), "long".repeat(9000)],
    ...texts(100, 5),
    "ab",
    ...texts(31, 7),
    ...["", "x"],
    ...texts(2100, 4),
    ...texts(40, 3),
    "",
    ...texts(70, 5000),
  ];
  const readings = messages.values().map((text, n) =>
    n % 2 === 0 ? text : new TextEncoder().encode(text)
  );
  assertEquals(await socket.sendMany(readings), messages.length);
  assertEquals(carrier.sent, messages);
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [messages.length, 0, 0]);
  socket.close();
});

Deno.test("a message that its iterable changes later is sent as it was read, in a run", async () => {
  const { carrier, socket } = runClient();
  const bytes = new Uint8Array(2);
  const messages = function* () {
    for (let n = 0; n < 100; n++) {
      bytes.fill(48 + n % 10);
      yield bytes;
    }
    yield new Uint8Array([120]);
    bytes.buffer.transfer();
  };
  assertEquals(await socket.sendMany(messages()), 101);
  assertEquals(carrier.sent, [
    ...Array.from({ length: 100 }, (_, n) => `${n % 10}${n % 10}`),
    "x",
  ]);
  socket.close();
});

Deno.test("a message of a run that fails is named alone, and the others are sent", async () => {
  const { carrier, socket } = runClient();
  let calls = 0;
  carrier.onRun = (count) =>
    ++calls === 2
      ? { sent: 0, error: new Deno.errors.ConnectionRefused("refused") }
      : { sent: Math.min(count, 7) };
  const messages = texts(100, 6);
  const error = await assertRejects(
    () => socket.sendMany(messages),
    AggregateError,
    "Cannot send 1 of 100 messages: Cannot send 6 bytes from",
  );
  assertEquals(error.errors.length, 1);
  assertEquals(carrier.sent, messages.toSpliced(7, 1));
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [99, 1, 0]);
  socket.close();
});

Deno.test("what is no message among messages of one length fails alone", async () => {
  const { carrier, socket } = runClient();
  const messages: unknown[] = texts(100, 6);
  messages.splice(50, 0, 5, null, "x".repeat(70_000));
  await assertRejects(
    () => socket.sendMany(messages as string[]),
    AggregateError,
    "Cannot send 3 of 103 messages",
  );
  assertEquals(carrier.sent, texts(100, 6));
  assertEquals(socket.stats.sendFailed, 3);
  socket.close();
});

Deno.test("a run that a carrier still has when it is given up on keeps its bytes", async () => {
  const { carrier, socket } = clientOf(new SlowRunCarrier());
  const controller = new AbortController();
  const { signal } = controller;
  const sending = socket.sendMany(texts(100, 4), { signal });
  while (carrier.held.length === 0) await turn();
  controller.abort("enough");
  assertEquals(await sending.catch((reason) => reason), "enough");
  const { carrier: other, socket: another } = runClient();
  for (let n = 0; n < 4; n++) await another.sendMany(Array(100).fill("over"));
  assertEquals(other.sent.length, 400);
  carrier.held.shift()!();
  await turn();
  assertEquals(carrier.sent, texts(100, 4));
  const { sent, sending: left } = socket.stats;
  assertEquals([sent, left], [100, 0]);
  socket.close();
  another.close();
});

Deno.test("a run that waits for its turn is withdrawn when it is given up on", async () => {
  const { carrier, socket } = clientOf(new SlowRunCarrier());
  const first = socket.sendMany(texts(100, 4));
  while (carrier.held.length === 0) await turn();
  const controller = new AbortController();
  const { signal } = controller;
  const second = socket.sendMany(texts(50, 2), { signal });
  assertEquals(await isPending(second), true);
  controller.abort("enough");
  assertEquals(await second.catch((reason) => reason), "enough");
  carrier.held.shift()!();
  assertEquals(await first, 100);
  await socket.send("last");
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [101, 50, 0]);
  assertEquals(carrier.sent, [...texts(100, 4), "last"]);
  socket.close();
});

Deno.test("an iterable that throws or closes the socket loses no count of a run", async () => {
  const { carrier, socket } = runClient();
  const throwing = function* () {
    yield* texts(40, 3);
    yield "x";
    throw new RangeError("no more");
  };
  await assertRejects(() => socket.sendMany(throwing()), RangeError);
  assertEquals(carrier.sent, [...texts(40, 3), "x"]);
  const closing = function* () {
    yield* texts(40, 3);
    socket.close();
    yield* texts(40, 2);
  };
  await assertRejects(() => socket.sendMany(closing()), Error, "closed");
  const { sent, sendFailed, sending } = socket.stats;
  // If a turn was due meanwhile, some had left before the socket was closed.
  assertEquals([sent + sendFailed, sending], [82, 0]);
  assertEquals(sent, carrier.sent.length);
});

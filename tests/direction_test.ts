import { assert, assertEquals } from "@std/assert";
import { type DatagramSocket, SocketClosedError } from "../mod.ts";
import { systemClock } from "../lib/clock.ts";
import { Link } from "../lib/testing/link.ts";
import { pump } from "../lib/socket/pump.ts";
import { Room } from "../lib/testing/room.ts";
import { Session } from "../lib/testing/session.ts";
import { SessionDirection } from "../lib/testing/direction.ts";
import { noCounts } from "../lib/testing/direction_stats.ts";
import { fakeBound } from "./support/fakes.ts";
import { isPending, pattern, until } from "./support/helpers.ts";
import { assertAddsUp } from "./support/relays.ts";

const HOUR_MS = 3_600_000;

/** A datagram, as a run of one. */
function one(data: Uint8Array<ArrayBuffer>) {
  return { data, segmentSize: data.length, count: 1 };
}

/** One direction with a delay, and what it sends. */
function open(
  { delayMs = 0, room = 1e9, send = () => Promise.resolve() }: {
    delayMs?: number;
    room?: number;
    send?: () => Promise<void>;
  },
) {
  const counts = noCounts();
  const sent: Uint8Array[] = [];
  const errors: unknown[] = [];
  const link = new Link(1, { delayMs: { min: delayMs, max: delayMs } });
  const direction = new SessionDirection<void>({
    link,
    counts,
    room: new Room(room),
    send: (data) => {
      sent.push(data);
      return send();
    },
    report: (error) => void errors.push(error),
  });
  return { direction, link, counts, sent, errors };
}

Deno.test("a datagram that the system does not send is counted and reported", async () => {
  const error = new Error("Network is unreachable");
  const { direction, counts, errors } = open({
    send: () => Promise.reject(error),
  });
  await direction.pass(one(pattern(10)));
  assertEquals(counts, { ...noCounts(), received: 1, notSent: 1 });
  assertEquals(errors, [error]);
});

Deno.test("a socket that is closed in the meantime is not reported as an error", async () => {
  const error = new SocketClosedError("closed");
  const { direction, counts, errors } = open({
    send: () => Promise.reject(error),
  });
  await direction.pass(one(pattern(10)));
  assertEquals([counts.notSent, errors], [1, []]);
});

Deno.test("a datagram that is being sent is in flight, and close waits for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { direction, counts } = open({ send: () => promise });
  const passing = direction.pass(one(pattern(10)));
  assertEquals([counts.inFlight, counts.forwarded], [1, 0]);
  const closing = direction.close();
  assert(await isPending(passing));
  assert(await isPending(closing));
  resolve();
  await Promise.all([passing, closing]);
  assertEquals([counts.inFlight, counts.forwarded], [0, 1]);
});

Deno.test("a datagram that is due leaves first, although its timer is late", async () => {
  const { direction, link, sent } = open({ delayMs: 1 });
  await direction.pass(one(pattern(1)));
  const due = performance.now() + 1;
  while (performance.now() < due);
  link.set({ delayMs: { min: 0, max: 0 } });
  await direction.pass(one(pattern(2)));
  await until(() => sent.length === 2);
  assertEquals(sent, [pattern(1), pattern(2)]);
});

Deno.test("no datagram waits for one that is held back", async () => {
  const { direction, link, sent, counts } = open({});
  link.set({ reorder: 1 });
  await direction.pass(one(pattern(1)));
  link.set({ reorder: 0 });
  await direction.pass(one(pattern(2)));
  assertEquals([sent, counts.inFlight], [[pattern(2)], 1]);
  await until(() => sent.length === 2);
});

Deno.test("held datagrams have a limit in bytes, and empty ones count too", async () => {
  for (const size of [0, 1000]) {
    const { direction, counts } = open({ room: 100_000, delayMs: HOUR_MS });
    for (let n = 0; n < 1000; n++) await direction.pass(one(pattern(size)));
    assert(counts.queueFull > 0, `${size} bytes: none dropped`);
    assert(counts.inFlight > 50, `${size} bytes: ${counts.inFlight} held`);
    assertAddsUp(counts);
    await direction.close();
    assertEquals([counts.inFlight, counts.received], [0, 1000]);
  }
});

Deno.test("released datagrams make room again, and so does close", async () => {
  const { direction, link, counts, sent } = open({ room: 1000, delayMs: 1 });
  for (const round of [1, 2, 3]) {
    await direction.pass(one(pattern(10)));
    await direction.pass(one(pattern(10)));
    await until(() => sent.length === round);
    assertEquals(counts.queueFull, round);
  }
  link.set({ delayMs: { min: HOUR_MS, max: HOUR_MS } });
  for (const round of [1, 2, 3]) {
    await direction.pass(one(pattern(10)));
    await direction.close();
    assertEquals([counts.queueFull, counts.notSent], [3, round]);
  }
});

Deno.test("a held datagram keeps no memory around it alive", async () => {
  const { direction, sent } = open({ delayMs: 1 });
  await direction.pass(one(pattern(8000).subarray(100, 110)));
  await until(() => sent.length === 1);
  assertEquals(sent[0], pattern(8000).slice(100, 110));
  assertEquals(sent[0]?.buffer.byteLength, 10);
});

Deno.test("an error of the system is reported, and the next datagram is handled", async () => {
  const { carrier, socket } = fakeBound();
  const handled: string[] = [];
  const errors: Error[] = [];
  const running = pump(
    socket[Symbol.asyncIterator](),
    socket.clock,
    (datagram) => {
      handled.push(datagram.text());
      return Promise.resolve();
    },
    (error) => void errors.push(error as Error),
  );
  carrier.deliver("before");
  carrier.fail(new Error("connection reset"));
  carrier.deliver("after");
  await until(() => handled.length === 2);
  assertEquals(handled, ["before", "after"]);
  assertEquals(errors.length, 1);
  socket.close();
  await running;
});

Deno.test("what arrives while a session waits for its last send is not held after its end", async () => {
  const { promise: sent, resolve: endSend } = Promise.withResolvers<void>();
  const up = open({});
  const down = open({ send: () => sent });
  const late = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const upstream = {
    clock: systemClock,
    async *runs() {
      await late.promise;
      yield one(pattern(1));
      await ended.promise;
    },
    async [Symbol.asyncDispose]() {
      ended.resolve();
      await ended.promise;
    },
  };
  const session = new Session({
    upstream: upstream as unknown as DatagramSocket,
    up: up.direction as unknown as Session["up"],
    down: down.direction as unknown as Session["down"],
    receive(run) {
      const passing = down.direction.pass(run);
      endSend();
      return passing;
    },
    report: () => {},
  });
  down.direction.pass(one(pattern(2)));
  down.link.set({ delayMs: { min: HOUR_MS, max: HOUR_MS } });
  const closing = session.close();
  late.resolve();
  await closing;
  assertEquals(down.counts, {
    ...noCounts(),
    ...{ received: 2, forwarded: 1, notSent: 1 },
  });
});

import { assert, assertEquals } from "@std/assert";
import { SocketClosedError } from "../mod.ts";
import { Link } from "../lib/testing/faults.ts";
import { pump } from "../lib/socket/pump.ts";
import { noCounts, Room, Way } from "../lib/testing/session.ts";
import { fakeBound } from "./support/fakes.ts";
import { isPending, pattern } from "./support/helpers.ts";
import { assertAddsUp, until } from "./support/relays.ts";

const HOUR_MS = 3_600_000;

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
  const way = new Way({
    link: new Link(1, { delayMs: { min: delayMs, max: delayMs } }),
    counts,
    room: new Room(room),
    send: (data) => {
      sent.push(data);
      return send();
    },
    report: (error) => void errors.push(error),
  });
  return { way, counts, sent, errors };
}

Deno.test("a datagram that the system does not take is counted and reported", async () => {
  const error = new Error("Network is unreachable");
  const { way, counts, errors } = open({ send: () => Promise.reject(error) });
  await way.pass(pattern(10));
  assertEquals(counts, { ...noCounts(), received: 1, notSent: 1 });
  assertEquals(errors, [error]);
});

Deno.test("a socket that is closed meanwhile is no error to report", async () => {
  const error = new SocketClosedError("closed");
  const { way, counts, errors } = open({ send: () => Promise.reject(error) });
  await way.pass(pattern(10));
  assertEquals([counts.notSent, errors], [1, []]);
});

Deno.test("what is being sent is in flight, and close waits for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { way, counts } = open({ send: () => promise });
  const passing = way.pass(pattern(10));
  assertEquals([counts.inFlight, counts.forwarded], [1, 0]);
  const closing = way.close();
  assert(await isPending(passing));
  assert(await isPending(closing));
  resolve();
  await Promise.all([passing, closing]);
  assertEquals([counts.inFlight, counts.forwarded], [0, 1]);
});

Deno.test("what is due goes first, although its timer is late", async () => {
  const { way, sent } = open({ delayMs: 1 });
  await way.pass(pattern(1));
  const due = performance.now() + 1;
  while (performance.now() < due);
  way.set({ delayMs: { min: 0, max: 0 } });
  await way.pass(pattern(2));
  await until(() => sent.length === 2);
  assertEquals(sent, [pattern(1), pattern(2)]);
});

Deno.test("nothing waits for what is held back", async () => {
  const { way, sent, counts } = open({});
  way.set({ reorder: 1 });
  await way.pass(pattern(1));
  way.set({ reorder: 0 });
  await way.pass(pattern(2));
  assertEquals([sent, counts.inFlight], [[pattern(2)], 1]);
  await until(() => sent.length === 2);
});

Deno.test("what is held has a limit in bytes, and empty datagrams count too", async () => {
  for (const size of [0, 1000]) {
    const { way, counts } = open({ room: 100_000, delayMs: HOUR_MS });
    for (let n = 0; n < 1000; n++) await way.pass(pattern(size));
    assert(counts.queueFull > 0, `${size} bytes: none dropped`);
    assert(counts.inFlight > 50, `${size} bytes: ${counts.inFlight} held`);
    assertAddsUp(counts);
    await way.close();
    assertEquals([counts.inFlight, counts.received], [0, 1000]);
  }
});

Deno.test("what is let go makes room again, and so does close", async () => {
  const { way, counts, sent } = open({ room: 1000, delayMs: 1 });
  for (const round of [1, 2, 3]) {
    await way.pass(pattern(10));
    await way.pass(pattern(10));
    await until(() => sent.length === round);
    assertEquals(counts.queueFull, round);
  }
  way.set({ delayMs: { min: HOUR_MS, max: HOUR_MS } });
  for (const round of [1, 2, 3]) {
    await way.pass(pattern(10));
    await way.close();
    assertEquals([counts.queueFull, counts.notSent], [3, round]);
  }
});

Deno.test("what is held keeps none of the memory around it alive", async () => {
  const { way, sent } = open({ delayMs: 1 });
  await way.pass(pattern(8000).subarray(100, 110));
  await until(() => sent.length === 1);
  assertEquals(sent[0], pattern(8000).slice(100, 110));
  assertEquals(sent[0].buffer.byteLength, 10);
});

Deno.test("an error of the system is reported, and the next datagram is handed on", async () => {
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

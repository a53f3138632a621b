import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { collect, type Message, type Sink } from "../lib/collect.ts";
import { bind, connect, DatagramSocket } from "../mod.ts";
import { FakeCarrier, FakeClock } from "./support/fakes.ts";
import { LOOPBACK, SOON, turn, until } from "./support/helpers.ts";

/** A sink that records its calls. */
class Memory implements Sink {
  readonly batches: Message[][] = [];
  readonly calls: string[] = [];
  readonly name: string;
  onWrite: () => Promise<void> | void = () => {};

  constructor(name = "memory") {
    this.name = name;
  }

  get texts(): string[] {
    return this.batches.flat().map(({ datagram }) => datagram.text());
  }

  get stats() {
    return { written: this.texts.length };
  }

  write(messages: readonly Message[]) {
    this.batches.push([...messages]);
    return this.onWrite();
  }

  flush() {
    this.calls.push("flush");
    return Promise.resolve();
  }

  close() {
    this.calls.push("close");
    return Promise.resolve();
  }
}

/** Starts a collector on a fake carrier and clock. */
function fake(
  options: Parameters<typeof collect>[1] = {},
  sinks: Sink[] = [new Memory()],
) {
  const clock = new FakeClock();
  const carrier = new FakeCarrier({ clock });
  const socket = new DatagramSocket(carrier);
  const errors: [message: string, sink: string | undefined][] = [];
  const collector = collect(socket, {
    sinks,
    onError: (error, sink) => void errors.push([error.message, sink?.name]),
    ...options,
  });
  return {
    clock,
    carrier,
    socket,
    collector,
    errors,
    sink: sinks[0] as Memory,
  };
}

Deno.test("messages are numbered in the order of arrival and reach every sink in that order", async () => {
  const sinks = [new Memory("a"), new Memory("b")];
  const { carrier, collector } = fake({ count: 3, firstId: 17 }, sinks);
  for (const text of ["x", "", "z"]) carrier.deliver(text);
  assertEquals(await collector.finished, "count");
  for (const sink of sinks) {
    assertEquals(sink.texts, ["x", "", "z"]);
    assertEquals(sink.batches.flat().map(({ id }) => id), [17, 18, 19]);
    assertEquals(sink.calls, ["flush", "close"]);
  }
});

Deno.test("a batch is written 2 ms after its first message, with all that arrived since", async () => {
  const { carrier, clock, socket, collector, sink } = fake();
  carrier.deliver("a");
  carrier.deliver("b");
  await until(() => socket.stats.received === 2);
  assertEquals(sink.batches, []);
  clock.advance(2);
  assertEquals(sink.batches.map(({ length }) => length), [2]);
  carrier.deliver("c");
  await until(() => socket.stats.received === 3);
  clock.advance(2);
  assertEquals(sink.batches.map(({ length }) => length), [2, 1]);
  await collector.stop();
});

Deno.test("a thousand messages, or a megabyte, are written at once", async () => {
  const { carrier, collector, sink } = fake();
  for (let n = 0; n < 1001; n++) carrier.deliver("x");
  while (carrier.queued > 0) await turn();
  await turn();
  assertEquals(sink.batches.map(({ length }) => length), [1000]);
  for (let n = 0; n < 20; n++) carrier.deliver(new Uint8Array(60_000));
  while (carrier.queued > 0) await turn();
  await turn();
  assertEquals(sink.batches.map(({ length }) => length), [1000, 19]);
  await collector.stop();
  assertEquals(sink.texts.length, 1021);
});

Deno.test("while a sink is full nothing is read; then reading continues", async () => {
  const { carrier, clock, collector, sink } = fake();
  const full = Promise.withResolvers<void>();
  sink.onWrite = () => full.promise;
  carrier.deliver("a");
  await until(() => clock.timers > 0);
  clock.advance(2);
  for (let n = 0; n < 10; n++) carrier.deliver("b");
  await turn();
  await turn();
  assert(carrier.queued >= 8, `${carrier.queued}`);
  full.resolve();
  await until(() => carrier.queued === 0);
  await collector.stop();
  assertEquals(sink.texts.length, 11);
});

Deno.test("a sink that fails is reported, and the others get everything", async () => {
  const bad = new Memory("bad");
  const rejecting = new Memory("rejecting");
  const good = new Memory("good");
  bad.onWrite = () => {
    throw new Error("broken");
  };
  rejecting.onWrite = () => Promise.reject(new Error("later"));
  const { carrier, collector, errors } = fake({ count: 1 }, [
    bad,
    rejecting,
    good,
  ]);
  carrier.deliver("a");
  await collector.finished;
  assertEquals(good.texts, ["a"]);
  assertEquals(errors, [["broken", "bad"], ["later", "rejecting"]]);
});

Deno.test("an error of the carrier is reported, and the collector continues", async () => {
  const { carrier, clock, collector, errors, sink } = fake({ count: 1 });
  carrier.fail(new Error("no luck"));
  await turn();
  carrier.deliver("a");
  clock.advance(10);
  await collector.finished;
  assertEquals(sink.texts, ["a"]);
  assertStringIncludes(errors[0]![0], "no luck");
});

Deno.test("a collector ends timeoutMs after the last message", async () => {
  const { carrier, clock, collector, sink } = fake({ timeoutMs: 100 });
  clock.advance(90);
  carrier.deliver("a");
  await turn();
  clock.advance(90);
  carrier.deliver("b");
  await turn();
  clock.advance(100);
  assertEquals(await collector.finished, "timeout");
  assertEquals(sink.texts, ["a", "b"]);
  assertEquals(clock.timers, 0);
});

Deno.test("stop writes pending messages; later ones stay in the socket", async () => {
  const { carrier, collector, sink, socket, clock } = fake();
  carrier.deliver("a");
  await turn();
  const stopped = collector.stop();
  carrier.deliver("b");
  assertEquals(await stopped, "stopped");
  assertEquals(sink.texts, ["a"]);
  assertEquals((await socket.receive()).text(), "b");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a socket that is closed ends the collector", async () => {
  const { carrier, collector, sink, socket } = fake();
  carrier.deliver("a");
  await turn();
  socket.close();
  assertEquals(await collector.finished, "closed");
  assertEquals([sink.texts, sink.calls], [["a"], ["flush", "close"]]);
});

Deno.test("answers go out by the rules of socket.answer, and are counted", async () => {
  await using socket = bind(LOOPBACK, {
    answerLimit: { perSecond: 1, burst: 2 },
  });
  await using client = await connect(socket.addr);
  const collector = collect(socket, {
    count: 3,
    answer: (datagram) => `re: ${datagram.text()}`,
  });
  for (const text of ["a", "b", "c"]) await client.send(text);
  assertEquals((await client.receive(SOON)).text(), "re: a");
  assertEquals((await client.receive(SOON)).text(), "re: b");
  await collector.finished;
  const { received, sent, withheld } = await collector.stats();
  assertEquals([received, sent, withheld["answerRate"]], [3, 2, 1]);
});

Deno.test("stats are those of the socket, and of each sink under its name", async () => {
  const { carrier, collector, socket } = fake({ count: 1 });
  carrier.deliver("abc");
  await collector.finished;
  assertEquals(await collector.stats(), {
    ...socket.stats,
    sinks: { memory: { written: 1 } },
  });
});

Deno.test("a count of the system that fails later is not known, until the socket is closed", async () => {
  const { carrier, collector, socket } = fake();
  let drops: number | undefined = 3;
  Object.assign(carrier, { kernelDrops: () => Promise.resolve(drops) });
  assertEquals((await collector.stats()).kernelDrops, 3);
  drops = undefined;
  assertEquals((await collector.stats()).kernelDrops, undefined);
  drops = 5;
  await collector.stop();
  socket.close();
  assertEquals((await collector.stats()).kernelDrops, 5);
});

Deno.test("a count of the system that takes too long at the end is not known", async () => {
  const { carrier, collector, socket } = fake();
  let drops = Promise.resolve(3);
  Object.assign(carrier, { kernelDrops: () => drops });
  assertEquals((await collector.stats()).kernelDrops, 3);
  drops = Promise.withResolvers<number>().promise;
  await collector.stop({ timeoutMs: 0 });
  socket.close();
  assertEquals((await collector.stats()).kernelDrops, undefined);
});

Deno.test("at the end sinks are flushed in order and closed in reverse order", async () => {
  const calls: string[] = [];
  const sinks = ["a", "b"].map((name) => {
    const sink = new Memory(name);
    sink.flush = () => Promise.resolve(void calls.push(`flush ${name}`));
    sink.close = () => Promise.resolve(void calls.push(`close ${name}`));
    return sink;
  });
  await fake({}, sinks).collector.stop();
  assertEquals(calls, ["flush a", "flush b", "close b", "close a"]);
});

Deno.test("stats name the gauges of each sink that has some", async () => {
  const sink = Object.assign(new Memory("mine"), { gauges: ["written"] });
  const { carrier, collector } = fake({ count: 1 }, [
    sink,
    new Memory("other"),
  ]);
  carrier.deliver("abc");
  await collector.finished;
  const { sinks, gauges } = await collector.stats();
  assertEquals(sinks, { mine: { written: 1 }, other: { written: 1 } });
  assertEquals(gauges, { mine: ["written"] });
});

Deno.test("stop ends the wait for a sink that stays full", async () => {
  const { carrier, clock, collector, sink } = fake();
  sink.onWrite = () => new Promise<void>(() => {});
  carrier.deliver("a");
  await until(() => clock.timers > 0);
  clock.advance(2);
  carrier.deliver("b");
  carrier.deliver("c");
  await until(() => carrier.queued === 1);
  assertEquals(await collector.stop(), "stopped");
  assertEquals(sink.texts, ["a", "b"]);
  assertEquals(sink.calls, ["flush", "close"]);
});

Deno.test("sinks share the time of the end; one that never ends is reported and left", async () => {
  const sinks = ["a", "stuck", "c"].map((name) => new Memory(name));
  const stuck = sinks[1]!;
  const never = () => new Promise<void>(() => {});
  let isOver = false;
  stuck.flush = never;
  stuck.close = (limit?: AbortSignal) => {
    isOver = limit?.aborted === true;
    return never();
  };
  const { clock, collector, errors } = fake({ endTimeoutMs: 100 }, sinks);
  const stopped = collector.stop();
  await turn();
  // None waits for another one to flush.
  assertEquals(sinks.map(({ calls }) => calls), [["flush"], [], ["flush"]]);
  clock.advance(100);
  await turn();
  clock.advance(200);
  assertEquals(await stopped, "stopped");
  assertEquals(isOver, true);
  assertEquals(sinks[0]!.calls, ["flush", "close"]);
  assertEquals(errors, [["the sink stuck did not end in time", "stuck"]]);
  assertEquals(clock.timers, 0);
});

Deno.test("a second stop can end at once", async () => {
  const sink = new Memory();
  sink.flush = () => new Promise<void>(() => {});
  const { clock, collector } = fake({}, [sink]);
  const stopped = collector.stop();
  await turn();
  assertEquals(sink.calls, []);
  assertEquals(collector.stop({ timeoutMs: 0 }), stopped);
  await stopped;
  assertEquals(sink.calls, ["close"]);
  assertEquals(clock.timers, 0);
  assertThrows(() => collector.stop({ timeoutMs: -1 }), RangeError);
});

Deno.test("stop with drain receives what waits in the socket first, and answers it", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  const sink = new Memory();
  const full = Promise.withResolvers<void>();
  sink.onWrite = () => full.promise;
  const collector = collect(socket, { sinks: [sink], answer: () => "taken" });
  await client.send("0");
  while (sink.texts.length === 0) await turn();
  // From here on the collector waits for the sink.
  for (let n = 1; n <= 100; n++) await client.send(`${n}`);
  full.resolve();
  assertEquals(await collector.stop({ drain: true }), "stopped");
  assertEquals(sink.texts, Array.from({ length: 101 }, (_, n) => `${n}`));
  assertEquals((await collector.stats()).sent, 101);
});

for (
  const [options, wanted] of [
    [
      { count: -1 },
      "count must be a whole number from 0, or Infinity: given -1",
    ],
    [
      { count: NaN },
      "count must be a whole number from 0, or Infinity: given NaN",
    ],
    [{ firstId: 0 }, "firstId must be a whole number from 1: given 0"],
    [
      { timeoutMs: -1 },
      "timeoutMs must be milliseconds from 0 to 2147483647, or Infinity: given -1",
    ],
  ] as const
) {
  Deno.test(`collect refuses ${Deno.inspect(options)}, and reads nothing`, () => {
    const carrier = new FakeCarrier({});
    const socket = new DatagramSocket(carrier);
    assertThrows(
      () => collect(socket, options),
      RangeError,
      `Cannot collect: ${wanted}`,
    );
    assertEquals(carrier.reading, false);
    socket.close();
  });
}

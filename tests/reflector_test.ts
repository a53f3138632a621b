/** What a reflector answers, and what it counts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { tcp } from "../lib/carriers/tcp.ts";
import { bind, connect, InvalidAddressError } from "../mod.ts";
import { reflect, type ReflectOptions } from "../lib/measure.ts";
import {
  decodeAnswer,
  encodeQuestion,
  type QuestionOptions,
  type StampAnswer,
} from "../lib/measure/stamp.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { LOOPBACK, SOON, until } from "./support/helpers.ts";
import { faked } from "./support/faked_reflector.ts";

const LAST = 2 ** 32 - 1;

/** A sender that asks, and waits for the answer. */
function sender(to: Deno.NetAddr) {
  const socket = bind(LOOPBACK);
  const receive = async () =>
    decodeAnswer((await socket.receive(SOON)).data) as StampAnswer;
  return {
    receive,
    send: (question: QuestionOptions) =>
      socket.send(encodeQuestion(question), to),
    async ask(question: QuestionOptions): Promise<StampAnswer> {
      await socket.send(encodeQuestion(question), to);
      return await receive();
    },
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

Deno.test("a session has numbers of its own: a peer's, and an identifier's", async () => {
  await using reflector = reflect(LOOPBACK);
  await using a = sender(reflector.addr);
  await using b = sender(reflector.addr);
  const seen = [
    await a.ask({ number: 5 }),
    await a.ask({ number: 6 }),
    await b.ask({ number: 9 }),
    await a.ask({ number: 1, ssid: 7 }),
    await a.ask({ number: 6 }),
  ].map(({ number, question, ssid }) => [number, question.number, ssid]);
  assertEquals(seen, [[0, 5, 0], [1, 6, 0], [0, 9, 0], [0, 1, 7], [2, 6, 0]]);
  const { sessions, begun, received, answered } = reflector.stats;
  assertEquals([sessions, begun, received, answered], [3, 3, 5, 5]);
});

Deno.test("an answer has the question's length and times, and two of its own", async () => {
  await using reflector = reflect(LOOPBACK);
  await using a = sender(reflector.addr);
  for (const size of [44, 45, 128, 1472, 9000]) {
    const before = performance.timeOrigin + performance.now();
    const { question, receivedMs, timeMs } = await a.ask({
      size,
      timeMs: before,
    });
    const after = performance.timeOrigin + performance.now();
    assert(Math.abs(question.timeMs - before) < 0.001);
    const times = [before - 0.001, receivedMs, timeMs, after + 0.001];
    assertEquals(times, times.toSorted((a, b) => a - b));
  }
  const socket = bind(LOOPBACK);
  await using _ = socket;
  // Of TWAMP Light, without the last three bytes.
  await socket.send(encodeQuestion({}).subarray(0, 41), reflector.addr);
  assertEquals((await socket.receive(SOON)).data.length, 41);
});

Deno.test("counts say what arrived, and their questions are not part of it", async () => {
  await using reflector = reflect(LOOPBACK);
  await using a = sender(reflector.addr);
  const asking = { asksForCounts: true, number: LAST, ssid: 1 };
  const { counts: first } = await a.ask(asking);
  assertEquals(first?.received, 0);
  for (const number of [0, 3, 1, 1, 4]) await a.ask({ number, ssid: 1 });
  const { counts, number } = await a.ask(asking);
  const { dropped: _, ...others } = counts!;
  assertEquals(others, {
    received: 5,
    distinct: 4,
    duplicates: 1,
    reordered: 1,
    maxExtent: 1,
    sumOfExtents: 1,
    answered: 5,
    limited: 0,
    isShared: false,
  });
  assertEquals(number, 5);
  assertEquals((await a.ask({ number: 5, ssid: 1 })).number, 5);
  const { received, answered, counted } = reflector.stats;
  assertEquals([received, answered, counted], [8, 6, 2]);
});

/** A reflector whose system drops as a test says, and what its counts say. */
function dropping() {
  const ends = faked();
  const { carrier, reflector, ask, answers, clock } = ends;
  const system: { drops: number | undefined; reads: number } = {
    drops: 0,
    reads: 0,
  };
  const kernelDrops = () => {
    system.reads++;
    return Promise.resolve(system.drops);
  };
  Object.assign(carrier, { kernelDrops });
  /** Waits until it is read again, which is after 100 ms at the earliest. */
  const read = async (before: number) => {
    await until(() => {
      if (clock.timers > 0) clock.advance(100);
      return system.reads > before;
    });
  };
  const dropped = async (ssid: number) => {
    const { counted } = reflector.stats;
    const { reads } = system;
    ask({ asksForCounts: true, ssid });
    await read(reads);
    await until(() => reflector.stats.counted > counted);
    return answers().at(-1)?.counts?.dropped;
  };
  return { ...ends, system, read, dropped };
}

Deno.test("counts name what the system dropped since the session began", async () => {
  const { reflector, system, dropped } = dropping();
  await using _ = reflector;
  const seen = [];
  for (const drops of [3, 10, 10, undefined, 12]) {
    system.drops = drops;
    seen.push(await dropped(1));
  }
  assertEquals(seen, [3, 10, 10, undefined, 12]);
});

Deno.test("what the system dropped before a session is not counted in it", async () => {
  const { reflector, ask, handled, system, read, dropped } = dropping();
  await using _ = reflector;
  // A socket that was just bound has dropped nothing.
  ask({ ssid: 1 });
  await handled(1);
  system.drops = 5;
  assertEquals(await dropped(1), 5);
  // Nothing arrived since that was read.
  system.drops = 8;
  ask({ ssid: 2 });
  await handled(3);
  assertEquals(await dropped(2), 3);
  // Here something did, so it is read when the session begins.
  ask({ ssid: 2 });
  await handled(5);
  system.drops = 20;
  const { reads } = system;
  ask({ ssid: 3 });
  await read(reads);
  system.drops = 21;
  assertEquals(await dropped(3), 1);
  assertEquals(await dropped(2), 16);
});

Deno.test("counts say whether dropped datagrams may be another session's", async () => {
  const { reflector, ask, handled, answers, clock } = faked();
  await using _ = reflector;
  const shared: (boolean | undefined)[] = [];
  for (const [n, ssid] of [1, 2, 1, 2].entries()) {
    ask({ asksForCounts: true, ssid });
    if (n > 0) await until(() => clock.timers > 0);
    clock.advance(100);
    await handled(n + 1);
    shared.push(answers()[n]?.counts?.isShared);
  }
  assertEquals(shared, [false, true, true, true]);
});

Deno.test("numbers of 32 bits wrap, and the session goes on", async () => {
  const { reflector, ask, handled, answers } = faked();
  await using _ = reflector;
  const numbers = [LAST - 1, LAST, 0, 1, LAST, 2];
  for (const number of numbers) ask({ number });
  ask({ asksForCounts: true });
  await handled(7);
  assertEquals(
    answers().slice(0, 6).map(({ question }) => question.number),
    numbers,
  );
  const { counts } = answers()[6]!;
  assertEquals([counts?.distinct, counts?.duplicates, counts?.reordered], [
    5,
    1,
    0,
  ]);
});

Deno.test("a session ends after 30 seconds of silence, and begins again at 0", async () => {
  const { clock, reflector, ask, handled, answers } = faked();
  await using _ = reflector;
  let received = 0;
  for (const ms of [0, 29_999, 29_999, 30_001]) {
    clock.advance(ms);
    ask({ number: 4 });
    await handled(++received);
  }
  assertEquals(answers().map(({ number }) => number), [0, 1, 2, 0]);
  const { sessions, begun, expired } = reflector.stats;
  assertEquals([sessions, begun, expired], [1, 2, 1]);
  clock.advance(30_001);
  assertEquals([reflector.stats.sessions, reflector.stats.expired], [0, 2]);
});

Deno.test("a sender without an identifier that starts again at 0 gets a new session", async () => {
  const { clock, reflector, ask, handled, answers } = faked();
  await using _ = reflector;
  let received = 0;
  const numberOf = async (number: number, ssid: number) => {
    ask({ number, ssid });
    await handled(++received);
    return answers().at(-1)!.number;
  };
  for (const [ssid, restarted] of [[0, true], [1, false]] as const) {
    const numbers = [];
    for (const number of [0, 1, 2]) numbers.push(await numberOf(number, ssid));
    // A copy that comes late, and a sender that starts again.
    clock.advance(199);
    numbers.push(await numberOf(0, ssid));
    clock.advance(200);
    numbers.push(await numberOf(0, ssid), await numberOf(1, ssid));
    const again = restarted ? [0, 1] : [4, 5];
    assertEquals(numbers, [0, 1, 2, 3, ...again]);
  }
  const { sessions, begun, restarted } = reflector.stats;
  assertEquals([sessions, begun, restarted], [2, 3, 1]);
});

Deno.test("a reflector answers over TCP", async () => {
  const carrier = tcp({ framing: "length" });
  await using reflector = reflect("tcp://127.0.0.1:0", { carrier });
  await using client = await connect(reflector.addr, { carrier });
  for (const size of [44, 1000, 9000]) {
    await client.send(encodeQuestion({ number: size, size }));
    const { data } = await client.receive(SOON);
    assertEquals(data.length, size);
    assertEquals(decodeAnswer(data)?.question.number, size);
  }
});

Deno.test("a simulated network reflects in virtual time", async () => {
  const network = simulateNetwork({ delayMs: { min: 25, max: 25 } });
  await network.run(async () => {
    await using reflector = reflect("udp://10.0.0.1:62862", {
      carrier: network,
    });
    await using socket = bind("udp://10.0.0.2:4000", { carrier: network });
    const timeMs = network.clock.now();
    await socket.send(encodeQuestion({ timeMs }), reflector.addr);
    const answer = decodeAnswer((await socket.receive(SOON)).data)!;
    // To a part of 2^32 of a second.
    const ms = answer.receivedMs - answer.question.timeMs;
    assert(Math.abs(ms - 25) < 1e-6, `${ms}`);
    assertEquals(answer.timeMs - answer.receivedMs, 0);
    assertEquals(network.clock.now() - timeMs, 50);
  });
});

Deno.test("options that cannot be used are refused, and nothing stays open", () => {
  const wrong: [ReflectOptions, string][] = [
    [
      { maxRate: 1001 },
      "Cannot reflect: maxRate must be at most 1000 per second without `allow`: given 1001",
    ],
    [{ maxRate: 0 }, "Cannot reflect: maxRate must be more than 0: given 0"],
    [
      { allowPorts: [65_536] },
      "Cannot reflect: a port of allowPorts must be a whole number from 1 to 65535: given 65536",
    ],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => reflect(LOOPBACK, options), RangeError, message);
  }
  const types: [unknown, string][] = [
    [{ onListen: 1 }, "onListen must be a function: given 1"],
    [{ signal: {} }, "signal must be an AbortSignal: given an object"],
    [{ allowPorts: 862 }, "allowPorts must be an array of ports: given 862"],
    [null, "options must be an object: given null"],
  ];
  for (const [options, message] of types) {
    assertThrows(
      () => reflect(LOOPBACK, options as ReflectOptions),
      TypeError,
      message,
    );
  }
  assertThrows(
    () => reflect("unix:/run/pli.sock"),
    InvalidAddressError,
    "a unix: socket cannot answer",
  );
});

Deno.test("a reflector ends by its signal, by shutdown, and in the middle of an answer", async () => {
  const aborted = reflect(LOOPBACK, { signal: AbortSignal.abort() });
  await aborted.finished;
  const controller = new AbortController();
  const { signal } = controller;
  const { reflector, ask, answers } = faked({ signal });
  for (const counted of [1, 0]) {
    ask({ asksForCounts: true });
    // The second one waits until the system's count may be read again.
    await until(() => reflector.stats[counted ? "counted" : "answering"] === 1);
  }
  controller.abort();
  await reflector.finished;
  assertEquals(answers().at(-1)?.counts?.dropped, undefined);
  const { received, counted, answering, refused } = reflector.stats;
  assertEquals([received, counted, answering, refused.notSent], [2, 2, 0, 0]);
  await reflector.shutdown();
});

Deno.test("onListen gets the address; what it throws ends the reflector", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const reflector = reflect(LOOPBACK, { onListen: resolve });
  assertEquals(await promise, reflector.addr);
  await reflector.shutdown();
  const broken = reflect(LOOPBACK, {
    onListen() {
      throw new Error("broken");
    },
  });
  const error = await broken.finished.catch((error) => error);
  assertEquals(error.message, "broken");
});

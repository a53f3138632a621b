/** What a reflector does not answer: it must neither loop, nor amplify, nor grow. */
import { assert, assertEquals } from "@std/assert";
import { bind } from "../mod.ts";
import { reflect } from "../lib/measure.ts";
import { encodeAnswer, encodeQuestion } from "../lib/measure/stamp.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { FakeCarrier, FakeClock, sourceOf } from "./support/fakes.ts";
import { consoleErrors, net, random, until } from "./support/helpers.ts";
import { faked } from "./support/faked_reflector.ts";

/** Two reflectors that reach each other, at the ports that are given. */
function facingReflectors(one: number, two: number, allowPorts: number[] = []) {
  const carriers = [one, two].map((port) =>
    new FakeCarrier({ addr: net("127.0.0.1", port), clock: new FakeClock() })
  );
  const [a, b] = carriers as [FakeCarrier, FakeCarrier];
  const reflectors = carriers.map((carrier) =>
    reflect(carrier.addr, { carrier: sourceOf(carrier), allowPorts })
  );
  let sent = 0;
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.onSend = (data, peer) => {
      sent++;
      // An endless loop would hang the test.
      if (sent > 100) throw new Error("they do not stop");
      assertEquals(peer, to.addr);
      to.deliver(data, from.addr);
      return Promise.resolve(data.length);
    };
  }
  const quiet = () =>
    until(() =>
      a.queued + b.queued === 0 &&
      reflectors.every(({ stats }) => stats.answering === 0)
    );
  const end = () => Promise.all(reflectors.map((each) => each.shutdown()));
  return { a, b, reflectors, quiet, end, sent: () => sent };
}

for (
  const [name, one, two, allowed, answers] of [
    ["at the default port", 62_862, 62_862, [], 0],
    ["at two ports", 5000, 6000, [], 1],
    ["at the default port and another", 62_862, 5000, [], 1],
    ["at port 862, which is allowed", 862, 862, [862], 1],
  ] as const
) {
  Deno.test(`two reflectors ${name} and a forged question: at most one answer`, async () => {
    for (const size of [41, 44, 128, 1472]) {
      for (const asksForCounts of [false, true]) {
        const { a, b, reflectors, quiet, end, sent } = facingReflectors(
          one,
          two,
          [...allowed],
        );
        const question = encodeQuestion({
          size,
          timeMs: Date.now(),
          asksForCounts,
        });
        a.deliver(size < 44 ? question.subarray(0, size) : question, b.addr);
        await quiet();
        assertEquals(sent(), answers);
        const [{ refused: first }, { refused: second }] = reflectors.map((
          each,
        ) => each.stats) as [
          typeof reflectors[0]["stats"],
          typeof reflectors[0]["stats"],
        ];
        assertEquals(first.port, 1 - answers);
        assertEquals(second.answer, answers);
        await end();
      }
    }
  });
}

Deno.test("two reflectors and a forged question stop on a network as well", async () => {
  const network = simulateNetwork({ delayMs: { min: 10, max: 10 } });
  await network.run(async () => {
    const carrier = network;
    await using a = reflect("udp://10.0.0.1:5000", { carrier });
    {
      // Whoever has this address by then gets the answer.
      await using forger = bind("udp://10.0.0.2:6000", { carrier });
      await forger.send(encodeQuestion({ timeMs: 1 }), a.addr);
    }
    await using b = reflect("udp://10.0.0.2:6000", { carrier });
    await new Promise((go) => setTimeout(go, 60_000));
    assertEquals([a.stats.answered, b.stats.answered], [1, 0]);
    assertEquals([a.stats.received, b.stats.received], [1, 1]);
    assertEquals(b.stats.refused.answer, 1);
  });
});

Deno.test("ports that a server may have are not answered, unless they are allowed", async () => {
  const ports = [1, 53, 862, 1023, 1024, 62_862, 65_535];
  const all: [allowPorts: number[], answered: number[]][] = [
    [[], [1024, 65_535]],
    [[862], [862, 1024, 65_535]],
    [[53, 62_862], [53, 1024, 62_862, 65_535]],
  ];
  for (const [allowPorts, answered] of all) {
    const { carrier, reflector, ask, handled } = faked({ allowPorts });
    for (const port of ports) ask({}, port);
    await handled(ports.length);
    const sent = carrier.sent.map(({ to }) => (to as Deno.NetAddr).port);
    assertEquals(sent, answered);
    assertEquals(reflector.stats.refused.port, ports.length - answered.length);
    await reflector.shutdown();
  }
});

Deno.test("short, long and empty datagrams, answers and garbage are counted, not answered", async () => {
  const { carrier, reflector, handled, errors } = faked();
  await using _ = reflector;
  const question = encodeQuestion({ size: 9000, timeMs: 1 });
  for (const length of [0, 1, 40, 41, 9000]) {
    carrier.deliver(question.subarray(0, length));
  }
  for (const length of [9001, 65_507]) {
    carrier.deliver(new Uint8Array(length));
  }
  carrier.deliver(
    encodeAnswer(question, { number: 1, receivedMs: Date.now() }),
  );
  const next = random(3);
  let bytes = 9041;
  for (let i = 0; i < 500; i++) {
    const length = 41 + next(300);
    bytes += length;
    carrier.deliver(Uint8Array.from({ length }, () => next(256)));
  }
  await handled(508);
  const { received, answered, refused } = reflector.stats;
  const { tooShort, tooLong, answer } = refused;
  assertEquals([received, answered], [508, 502]);
  assertEquals([tooShort, tooLong, answer], [3, 2, 1]);
  const sent = carrier.sent.reduce((sum, { data }) => sum + data.length, 0);
  assertEquals(sent, bytes);
  assertEquals(errors, []);
});

Deno.test("a session gets its rate, and what exceeds it is in its counts", async () => {
  const { carrier, clock, reflector, ask, handled, answers } = faked({
    maxRate: 10,
  });
  await using _ = reflector;
  for (let number = 0; number < 15; number++) ask({ number });
  await handled(15);
  assertEquals(carrier.sent.length, 10);
  assertEquals(reflector.stats.refused.rate, 5);
  clock.advance(200);
  ask({ number: 15 });
  ask({ asksForCounts: true });
  await handled(17);
  const { counts } = answers().at(-1)!;
  assertEquals([counts?.received, counts?.answered, counts?.limited], [
    16,
    11,
    5,
  ]);
  // The question for counts was the second of these 200 ms.
  ask({ number: 16 });
  await handled(18);
  assertEquals(reflector.stats.refused.rate, 6);
});

Deno.test("questions that are too long are in the counts of their session", async () => {
  const { carrier, reflector, ask, handled, answers } = faked();
  ask({ number: 0 });
  for (const number of [1, 2]) ask({ number, size: 9001 });
  ask({ asksForCounts: true });
  await handled(4);
  const { counts } = answers().at(-1)!;
  const { received, distinct, answered, limited } = counts!;
  assertEquals([received, distinct, answered, limited], [3, 3, 1, 2]);
  assertEquals(reflector.stats.refused.tooLong, 2);
  assertEquals(carrier.sent.length, 2);
  await reflector.shutdown();
});

Deno.test("a host gets no more by many sessions than ten may have", async () => {
  const { carrier, reflector, ask, handled } = faked({ maxRate: 10 });
  await using _ = reflector;
  for (let ssid = 0; ssid < 500; ssid++) ask({ ssid }, 2000 + ssid);
  await handled(500);
  assertEquals(carrier.sent.length, 100);
  carrier.deliver(encodeQuestion({}), net("127.0.0.2", 2000));
  await handled(501);
  assertEquals(carrier.sent.length, 101);
});

Deno.test("above 1,000 per second go allowed addresses only", async () => {
  for (
    const [allow, answered] of [[undefined, 1000], [
      ["127.0.0.1"],
      1500,
    ]] as const
  ) {
    const { carrier, reflector, ask, handled } = faked({ allow });
    for (let number = 0; number < 1500; number++) ask({ number });
    await handled(1500);
    assertEquals(carrier.sent.length, answered);
    carrier.deliver(encodeQuestion({}), net("127.0.0.2", 40_000));
    await until(() => carrier.queued === 0 && carrier.reading);
    const denied = allow === undefined ? undefined : 1;
    assertEquals(reflector.stats.dropped["denied"], denied);
    await reflector.shutdown();
  }
});

Deno.test("of a thousand sessions and one more, none loses its place while it asks", async () => {
  const { clock, reflector, ask, handled, answers } = faked();
  await using _ = reflector;
  let received = 0;
  const askAll = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      // All on one host would share a rate.
      ask({ ssid: i + 1 }, 2000 + i % 7);
      if (++received % 100 === 0) await handled(received);
    }
    await handled(received);
  };
  await askAll(0, 1000);
  assertEquals(reflector.stats.sessions, 1000);
  await askAll(1000, 1001);
  assertEquals(reflector.stats.refused.sessions, 1);
  // A second later all but one have been silent.
  clock.advance(900);
  await askAll(0, 1);
  clock.advance(200);
  await askAll(1000, 1001);
  const { sessions, replaced, refused } = reflector.stats;
  assertEquals([sessions, replaced, refused.sessions], [1000, 1, 1]);
  // The one that asked meanwhile goes on, the most silent one begins again.
  await askAll(0, 2);
  assertEquals(answers().slice(-2).map(({ number }) => number), [2, 0]);
  clock.advance(30_001);
  assertEquals([reflector.stats.sessions, reflector.stats.expired], [0, 1000]);
});

Deno.test("a peer that takes no answers delays no other, and costs bounded memory", async () => {
  const { carrier, reflector, handled } = faked({ allow: ["127.0.0.0/8"] });
  const deaf = Promise.withResolvers<number>();
  const taken: number[] = [];
  carrier.onSend = (data, to) => {
    const { port } = to as Deno.NetAddr;
    if (port === 4001) return deaf.promise;
    taken.push(port);
    return Promise.resolve(data.length);
  };
  const question = encodeQuestion({ size: 9000 });
  for (let i = 0; i < 2000; i++) {
    carrier.deliver(question, net("127.0.0.1", 4001));
  }
  carrier.deliver(question, net("127.0.0.1", 4002));
  await until(() => taken.length === 1);
  const { received, answered, answering, refused } = reflector.stats;
  assertEquals([received, answered], [2001, 1]);
  assertEquals(answering + refused.busy, 2000);
  assert(refused.busy > 1000, `${refused.busy}`);
  deaf.resolve(9000);
  await handled(2001);
  await reflector.shutdown();
});

Deno.test("answers that cannot be sent are counted, reported, and no loss on the way", async () => {
  const { carrier, reflector, ask, handled, answers, errors } = faked();
  carrier.onSend = () => Promise.reject(new Error("no buffer"));
  ask({ number: 0 });
  await handled(1);
  carrier.onSend = (data) => Promise.resolve(data.length);
  ask({ number: 1 });
  ask({ asksForCounts: true });
  await handled(3);
  const { counts } = answers().at(-1)!;
  assertEquals([counts?.received, counts?.answered, counts?.limited], [
    2,
    1,
    0,
  ]);
  assertEquals([errors.length, reflector.stats.refused.notSent], [1, 1]);
  await reflector.shutdown();
});

Deno.test("a flood of questions for counts reads the system's count in turn", async () => {
  const { carrier, clock, reflector, ask, handled } = faked({
    allow: ["127.0.0.1"],
  });
  let reads = 0;
  Object.assign(carrier, { kernelDrops: () => Promise.resolve(reads++) });
  for (let i = 0; i < 1000; i++) ask({ asksForCounts: true, ssid: i % 10 });
  // The first reading answers some; those of the same sessions have to wait.
  await until(() => carrier.queued === 0);
  clock.advance(100);
  await handled(1000);
  const { counted, refused } = reflector.stats;
  assertEquals(counted + refused.busy, 1000);
  assert(reads <= 2, `${reads}`);
  await reflector.shutdown();
});

Deno.test("errors of the socket and of callbacks do not end the reflector", async () => {
  const { carrier, clock, reflector, ask, handled } = faked({
    onError() {
      throw new Error("broken");
    },
  });
  const printed = await consoleErrors(async () => {
    carrier.fail(new Error("the network is down"));
    await until(() => clock.timers > 0);
    clock.advance(100);
    ask({});
    await handled(1);
  });
  assertEquals(printed.length, 1);
  assertEquals(reflector.stats.answered, 1);
  await reflector.shutdown();
});

import { assert, assertEquals } from "@std/assert";
import {
  measure,
  type MeasuredPacket,
  type MeasureOptions,
  type MeasureResult,
  reflect,
} from "../lib/measure.ts";
import {
  type Faults,
  type SimulatedNetwork,
  simulateNetwork,
} from "../lib/testing/mod.ts";
import { asksForCounts } from "../lib/measure/stamp.ts";
import { truthOf } from "./support/path_truth.ts";
import {
  type Reflect,
  startReflector,
  stateful,
  stateless,
} from "./support/reflectors.ts";

const REFLECTOR = "udp://10.0.0.1:62862";
const SENDER = "10.0.0.2";

interface Setting {
  readonly network: SimulatedNetwork;
  readonly up?: Faults;
  readonly down?: Faults;
  /** Another reflector than this library's. */
  readonly reflect?: Reflect;
}

/** Measures on a simulated network. */
async function measured(
  { network, up = {}, down = {}, reflect: other }: Setting,
  options: MeasureOptions,
): Promise<MeasureResult> {
  network.set(up, { to: "10.0.0.1" });
  network.set(down, { from: "10.0.0.1" });
  return await network.run(async () => {
    const carrier = network.host(SENDER);
    await using _reflector = other === undefined
      ? reflect(REFLECTOR, { carrier: network })
      : startReflector(REFLECTOR, network, other);
    await using running = measure(REFLECTOR, { carrier, ...options });
    return await running.result;
  });
}

/** What was lost, in all. */
function sum(lost: MeasureResult["lost"]): number {
  return Object.values(lost).reduce((total, n) => total + n, 0);
}

const FAULTS: readonly [string, Faults, Faults][] = [
  ["loss both ways", { loss: 0.1 }, { loss: 0.05 }],
  ["duplicates", { duplicate: 0.2 }, { duplicate: 0.2 }],
  ["reordering", { reorder: 0.1 }, { reorder: 0.05 }],
  [
    "all of them, and delays that vary",
    { loss: 0.1, duplicate: 0.2, reorder: 0.05, delayMs: { min: 5, max: 30 } },
    { loss: 0.05, duplicate: 0.2, reorder: 0.05, delayMs: { min: 1, max: 60 } },
  ],
];

for (const [name, up, down] of FAULTS) {
  Deno.test(`losses, duplicates and reordering are those of the network: ${name}`, async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const network = simulateNetwork({ seed });
      const result = await measured({ network, up, down }, {
        rate: 500,
        count: 200,
      });
      const truth = truthOf(network.trace, REFLECTOR);
      assertEquals(result.sent, 200);
      assertEquals(
        {
          received: result.received,
          lost: result.lost,
          duplicates: result.duplicates,
          reordering: result.reordering,
        },
        {
          received: truth.received,
          lost: {
            ownSend: 0,
            out: 200 - truth.reached,
            reflector: 0,
            back: truth.reached - truth.received,
            ownReceive: 0,
            late: 0,
            unknown: 0,
          },
          duplicates: truth.duplicates,
          reordering: truth.reordering,
        },
        `seed ${seed}`,
      );
      assertEquals(sum(result.lost), result.sent - result.received);
      assertEquals([result.valid, result.reflector], [true, "pli"]);
    }
  });
}

Deno.test("the gaps in the numbers of another stateful reflector say where datagrams were lost", async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const network = simulateNetwork({ seed });
    const result = await measured({
      network,
      up: { loss: 0.1, reorder: 0.05 },
      down: { loss: 0.05, duplicate: 0.2, reorder: 0.05 },
      reflect: stateful(),
    }, { rate: 500, count: 200 });
    const truth = truthOf(network.trace, REFLECTOR);
    assertEquals(result.reflector, "stateful");
    assertEquals(result.duplicates, truth.duplicates);
    assertEquals(result.reordering.back, truth.reordering.back);
    assertEquals(sum(result.lost), result.sent - result.received);
    const { out, back, unknown } = result.lost;
    const lostOut = 200 - truth.reached;
    const lostBack = truth.reached - truth.received;
    assert(out <= lostOut && back <= lostBack, `seed ${seed}`);
    // Unless the closing question itself was lost.
    const tries = network.trace.filter(({ to, data }) =>
      to === REFLECTOR && asksForCounts(data)
    ).length;
    assert(unknown < tries, `seed ${seed}: ${unknown} of ${tries}`);
  }
});

Deno.test("of a stateless reflector it is unknown where datagrams were lost, and duplicates have their way", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const network = simulateNetwork({ seed });
    const result = await measured({
      network,
      up: { loss: 0.1, duplicate: 0.2, delayMs: { min: 1, max: 5 } },
      down: { duplicate: 0.2, delayMs: { min: 1, max: 5 } },
      reflect: stateless(),
    }, { rate: 100, count: 100 });
    const { reflector, lost, sent, received } = result;
    assertEquals(reflector, "stateless");
    assertEquals(lost.unknown, sent - received);
    assert(result.duplicates.back > 0);
  }
});

Deno.test("delays count from the planned time, and the reflector's time is taken out", async () => {
  const network = simulateNetwork();
  const result = await measured({
    network,
    up: { delayMs: { min: 20, max: 20 } },
    down: { delayMs: { min: 30, max: 30 } },
  }, { rate: 100, count: 100, oneWay: true });
  const { rttMs, pathMs, reflectorMs, latenessMs } = result;
  assertEquals([rttMs.min, rttMs.max], [50, 50]);
  assertEquals([reflectorMs.max, latenessMs.max], [0, 0]);
  assertEquals([pathMs.min, pathMs.max], [50, 50]);
  const { clockDifference, clockError, out, back } = result.oneWayMs!;
  // Nobody can know that the ways differ: it is within the error that is given.
  assertEquals([clockDifference, clockError].map(Math.round), [-5, 25]);
  assertEquals([out.p50, back.p50].map(Math.round), [25, 25]);
});

Deno.test("jitter needs no synchronised clocks", async () => {
  const faults = { delayMs: { min: 10, max: 30 } };
  const results = [];
  for (const skewMs of [0, 3_600_000]) {
    const network = simulateNetwork({ seed: 3 });
    network.host("10.0.0.1", { skewMs });
    const { jitterMs } = await measured({ network, up: faults, down: faults }, {
      rate: 100,
      count: 500,
    });
    results.push(jitterMs);
  }
  const round = (value: unknown) =>
    JSON.parse(
      JSON.stringify(
        value,
        (_, v) => typeof v === "number" ? Math.round(v * 50) : v,
      ),
    );
  assertEquals(round(results[0]), round(results[1]));
  const [{ out, back } = results[1]!] = results;
  for (const { pdv, ipdv, rfc3550 } of [out, back]) {
    assertEquals(pdv.count, 500);
    assert(pdv.max > 15 && pdv.max <= 20, `${pdv.max}`);
    assert(ipdv.max <= 20 && ipdv.count === 499, `${ipdv.max}`);
    assert(rfc3550 > 0 && rfc3550 < 20);
  }
});

Deno.test("answers after the time limit are late: not received, and not lost on the way", async () => {
  const network = simulateNetwork({ seed: 2 });
  const result = await measured({
    network,
    down: { delayMs: { min: 50, max: 150 } },
  }, { rate: 10, count: 100, waitMs: 100 });
  const { received, lost, rttMs } = result;
  assert(lost.late > 5, `${lost.late}`);
  assert(rttMs.max <= 100);
  assertEquals(sum(lost), 100 - received);
  // Only the last answers may come after the end.
  assert(lost.back <= 2, `${lost.back}`);
});

Deno.test("the same seed gives the same result", async () => {
  const run = async () => {
    const network = simulateNetwork({ seed: 11, loss: 0.1, reorder: 0.05 });
    return await measured({ network }, { rate: 1000, count: 300, ssid: 7 });
  };
  assertEquals(await run(), await run());
});

Deno.test("intervals and packets add up to the result, whatever is omitted", async () => {
  const network = simulateNetwork({ seed: 5, loss: 0.1, duplicate: 0.1 });
  const packets: MeasuredPacket[] = [];
  const sums = { sent: 0, received: 0 };
  const starts: number[] = [];
  const result = await network.run(async () => {
    await using _reflector = reflect(REFLECTOR, { carrier: network });
    await using running = measure(REFLECTOR, {
      carrier: network.host(SENDER),
      rate: 100,
      durationMs: 3000,
      omitMs: 500,
      size: [44, 100],
      onPacket: (packet) => void packets.push(packet),
    });
    for await (const { startMs, durationMs, sent, received } of running) {
      starts.push(startMs);
      assertEquals(durationMs, 1000);
      sums.sent += sent;
      sums.received += received;
    }
    return await running.result;
  });
  assertEquals(starts.slice(0, 3), [0, 1000, 2000]);
  assertEquals([result.sent, result.durationMs], [300, 3000]);
  assertEquals(sums, { sent: 300, received: result.received });
  assertEquals(sum(result.lost), 300 - result.received);
  assertEquals(result.lost.unknown, 0);
  assertEquals(packets.map(({ number }) => number), [...packets.keys()]);
  assertEquals(packets.length, 300);
  const answered = packets.filter(({ fate }) => fate === "answered");
  assertEquals(answered.length, result.received);
  const { out, back } = result.duplicates;
  const doubled = packets.reduce((all, { duplicates }) => all + duplicates, 0);
  assert(doubled <= out + back);
  assertEquals(packets[1], { ...packets[1]!, plannedMs: 10, size: 100 });
});

Deno.test("bursts leave together, at the rate", async () => {
  const network = simulateNetwork();
  const result = await measured({ network }, {
    rate: 100,
    count: 40,
    burst: 20,
  });
  const times = network.trace.filter(({ to }) => to === REFLECTOR)
    .slice(0, 40).map(({ sent }) => sent);
  assertEquals(new Set(times).size, 2);
  assertEquals(times[39]! - times[0]!, 200);
  assertEquals([result.received, result.durationMs], [40, 400]);
});

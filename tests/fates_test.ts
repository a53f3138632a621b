/** Fates: what faults did to single datagrams, done again. */
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { bind } from "../mod.ts";
import {
  type Fate,
  type Faults,
  type NetworkOptions,
  simulateNetwork,
  type TraceEntry,
} from "../lib/testing/mod.ts";
import { sleep } from "./support/planted.ts";

const A = "10.0.0.1:1";
const B = "10.0.0.2:2";

/** Sends datagrams both ways, and returns what arrived and when. */
async function exchange(options: NetworkOptions, count = 20) {
  const network = simulateNetwork(options);
  await network.run(async () => {
    await using a = bind(`udp://${A}`, { carrier: network });
    await using b = bind(`udp://${B}`, { carrier: network.host("10.0.0.2") });
    for (let n = 0; n < count; n++) {
      await a.send(`a${n}`, b.addr);
      await b.send(`b${n}`, a.addr);
      await sleep(3);
    }
    await sleep(1000);
  });
  return network;
}

const arrived = (trace: readonly TraceEntry[]) =>
  trace.filter(({ fate }) => fate === "delivered");

const chance = fc.double({ min: 0, max: 0.5, noNaN: true });
const faults: fc.Arbitrary<Faults> = fc.record({
  loss: chance,
  duplicate: chance,
  reorder: chance,
  corrupt: chance,
  delayMs: fc.nat({ max: 50 }).map((max) => ({ min: 0, max })),
  bandwidth: fc.integer({ min: 100_000, max: 1_000_000 }),
  mtu: fc.integer({ min: 2, max: 4 }),
}, { requiredKeys: [] });

Deno.test("the fates of a network, whatever its faults, give the same arrivals again", async () => {
  await fc.assert(
    fc.asyncProperty(faults, fc.nat(), async (faults, seed) => {
      const first = await exchange({ ...faults, seed });
      const { fates } = first;
      const again = await exchange({ seed, fates });
      // If a datagram is lost and its copy arrives, that is no copy any more.
      const whole = (trace: readonly TraceEntry[]) =>
        arrived(trace).map(({ copy: _, ...entry }) => entry);
      assertEquals(whole(again.trace), whole(first.trace));
      assertEquals(again.fates, fates);
      // They are plain data.
      assertEquals(JSON.parse(JSON.stringify(fates)), fates);
    }),
    { numRuns: 100 },
  );
});

const FATES: [string, Partial<Fate>, [string, number][]][] = [
  ["lost", { lost: true }, [["a0", 0], ["a2", 6]]],
  ["late", { delayMs: 7 }, [["a0", 0], ["a1", 10], ["a2", 10]]],
  [
    "overtaken",
    { delayMs: 7, reordered: true },
    [["a0", 0], ["a2", 6], ["a1", 10]],
  ],
  ["copied", { copy: {} }, [["a0", 0], ["a1", 3], ["a1", 3], ["a2", 6]]],
  [
    "copied later",
    { copy: { delayMs: 9, reordered: true } },
    [["a0", 0], ["a1", 3], ["a2", 6], ["a1", 12]],
  ],
  ["corrupted", { flippedBit: 8 }, [["a0", 0], ["a0", 3], ["a2", 6]]],
  ["corrupted beyond its end", { flippedBit: 16 }, [
    ["a0", 0],
    ["a1", 3],
    ["a2", 6],
  ]],
  ["plain", {}, [["a0", 0], ["a1", 3], ["a2", 6]]],
];
for (const [what, fate, wanted] of FATES) {
  Deno.test(`a datagram whose fate is to be ${what} is that, and the others are plain`, async () => {
    const fates = [{ from: A, to: B, n: 2, ...fate }];
    // Faults that are given later do not change fates.
    const { trace } = await exchange({ fates, loss: 1 }, 3);
    const came = arrived(trace).filter(({ to }) => to === `udp://${B}`)
      .map(({ data, time }) => [new TextDecoder().decode(data), time]);
    assertEquals(came, wanted);
    assertEquals(arrived(trace).length, wanted.length + 3);
  });
}

Deno.test("rules are asked before fates, and both apply", async () => {
  const fates = [
    { from: A, to: B, n: 1, delayMs: 10 },
    { from: A, to: B, n: 2, lost: true },
    { from: A, to: B, n: 3, delayMs: 1 },
  ];
  const network = simulateNetwork({ fates });
  const times: number[] = [];
  network.rule((_, n) => n === 1 ? { delayMs: 5 } : "duplicate", { from: A });
  await network.run(async () => {
    await using a = bind(`udp://${A}`, { carrier: network });
    await using _b = bind(`udp://${B}`, { carrier: network });
    for (let n = 0; n < 3; n++) {
      await a.send("x", { transport: "udp", hostname: "10.0.0.2", port: 2 });
    }
    await sleep(100);
  });
  for (const { time, fate } of network.trace) {
    if (fate === "delivered") times.push(time);
  }
  assertEquals(times, [1, 1, 15]);
});

// deno-lint-ignore no-explicit-any
const WRONG: [any, string][] = [
  [1, "fates must be a list: given 1"],
  [[1], "fates[0] must be an object: given 1"],
  [[{ to: B, n: 1 }], "fates[0].from must be an address"],
  [
    [{ from: "10.0.0.1", to: B, n: 1 }],
    "fates[0].from must be a host and a port",
  ],
  [[{ from: "10.0.0.999:1", to: B, n: 1 }], `Invalid address "10.0.0.999:1"`],
  [[{ from: A, to: B, n: 0 }], "fates[0].n must be a whole number from 1"],
  [[{ from: A, to: B, n: 1, lost: 1 }], "fates[0].lost must be true or false"],
  [[{ from: A, to: B, n: 1, delayMs: -1 }], "fates[0].delayMs must be"],
  [[{ from: A, to: B, n: 1, flippedBit: 0.5 }], "fates[0].flippedBit must be"],
  [[{ from: A, to: B, n: 1, copy: 1 }], "fates[0].copy must be an object"],
  [[{ from: A, to: B, n: 1, copy: { lost: true } }], `given "lost"`],
  [[{ from: A, to: B, n: 1, delay: 1 }], `given "delay"`],
  [{ length: 1e9 }, "fates must be a list"],
];
for (const [fates, message] of WRONG) {
  Deno.test(`wrong fates are rejected in one line: ${message}`, () => {
    const error = assertThrows(() => simulateNetwork({ fates }), Error);
    assertStringIncludes((error as Error).message, message);
    assert(!(error as Error).message.includes("\n"));
  });
}

/** Searching seeds for a failure, and shrinking it. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  FailingSeedError,
  type Fate,
  type Program,
  type SearchOptions,
  searchSeeds,
  simulateNetwork,
} from "../lib/testing/mod.ts";
import {
  CLIENT,
  crashed,
  deadlock,
  duplicated,
  overtaken,
  ROUGH,
  secondReply,
  SERVER,
  several,
  sleep,
  twoLost,
} from "./support/planted.ts";

const LIMITS = { shrinkMs: Infinity, seeds: 1000 };

/** Searches until the program fails. */
async function find(
  program: Program,
  options: SearchOptions = {},
): Promise<FailingSeedError> {
  return await assertRejects(
    () => searchSeeds(program, { ...LIMITS, ...options }),
    FailingSeedError,
  );
}

const there = { from: CLIENT, to: SERVER };
const back = { from: SERVER, to: CLIENT };

/** What is planted, and what it is shrunk to; a delay may be of any length. */
const PLANTED: [string, Program, (string | RegExp), Fate[][]][] = [
  [
    "a reply that is lost",
    secondReply,
    "no second reply",
    [[{ ...there, n: 2, lost: true }], [{ ...back, n: 2, lost: true }]],
  ],
  [
    "a deadlock",
    deadlock,
    /^The program is stuck/,
    [[{ ...there, n: 1, lost: true }], [{ ...back, n: 1, lost: true }]],
  ],
  [
    "two that are lost",
    twoLost,
    "2 and 5 are missing",
    [[{ ...there, n: 2, lost: true }, { ...there, n: 5, lost: true }]],
  ],
  [
    "a datagram that overtakes another",
    overtaken,
    "3 before 2",
    [[{ ...there, n: 2, delayMs: 6, reordered: true }], [{
      ...there,
      n: 2,
      lost: true,
    }]],
  ],
];
for (const [what, program, message, least] of PLANTED) {
  Deno.test(`${what} is found, and shrunk to the least that fails`, async () => {
    const error = await find(program, { ...ROUGH, corrupt: 0, stuckMs: 200 });
    const { message: text } = error.cause as Error;
    if (typeof message === "string") assertEquals(text, message);
    else assert(message.test(text));
    assert(error.isDeterministic);
    const { seed, fates = [] } = error.network;
    assertEquals(seed, error.seed);
    const isLeast = least.some((one) =>
      JSON.stringify(one) === JSON.stringify(fates)
    );
    assert(isLeast, JSON.stringify(fates));
  });
}

Deno.test("a datagram that comes twice is found, and shrunk to it alone", async () => {
  const error = await find(duplicated, ROUGH);
  assert(error.cause instanceof RangeError);
  const { fates = [] } = error.network;
  const [n] = /^\d/.exec((error.cause as Error).message) ?? [];
  assertEquals(fates.length, 1);
  assertEquals(fates[0]?.copy, {});
  assertEquals({ ...there, n: Number(n), copy: {} }, fates[0]);
});

Deno.test("a bug that needs a crash is shrunk to the datagram that is late", async () => {
  const error = await find(crashed, { delayMs: { min: 1, max: 40 } });
  const { fates = [] } = error.network;
  assertEquals(fates.length, 1);
  assertStringIncludes(error.diagram, "10.0.0.1 crashes");
});

Deno.test("of several bugs the one that was found is shrunk", async () => {
  for (const seed of [1, 100, 200, 300]) {
    const error = await find(several, { ...ROUGH, seed });
    const { message } = error.cause as Error;
    const network = simulateNetwork(error.network);
    const again = await assertRejects(
      () => network.run(() => several(network)),
      Error,
    );
    assertStringIncludes(again.message, message);
    const { fates = [] } = error.network;
    assertEquals(fates.length, 1, message);
    assertEquals(
      message === "twice" ? fates[0]?.copy : fates[0]?.lost,
      message === "twice" ? {} : true,
    );
  }
});

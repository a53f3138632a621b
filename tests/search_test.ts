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
import { failureOf } from "../lib/testing/search/failure.ts";
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
  twoLost,
} from "./support/planted.ts";

Deno.test("a project in a folder named npm is no package", () => {
  const failed = (row: number) => {
    const error = new Error("mine");
    const frames = ["home/npm/mine.ts:" + row, "home/other.ts:5"];
    error.stack = `Error: mine\n${
      frames.map((frame) => `    at file:///${frame}:1`).join("\n")
    }`;
    return failureOf(error).kind;
  };
  assertEquals(failed(3), failed(3));
  assert(failed(3) !== failed(4));
});

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

Deno.test("the error has the seed, a diagram, and code that fails in the same way", async () => {
  const { message, diagram } = await find(secondReply, { loss: 0.1 });
  const [first, happened, code = "", ...others] = message.split("\n\n");
  assertEquals(others, []);
  assertEquals(
    first,
    "The program fails with seed 3 (after 2 seeds that passed, shrunk in 3 " +
      "runs): no second reply",
  );
  assertEquals(happened, `What happens:\n${diagram.trimEnd()}`);
  assertEquals(diagram.split("\n"), [
    "      ms  10.0.0.2:49152                10.0.0.1:53",
    '       0  │─────────── "1" ────────────→│',
    '       0  │←────────── "re 1" ──────────│',
    '       0  │──────── "2" ────────✗       │  lost',
    "     100  * it fails: no second reply",
    "",
  ]);
  assertEquals(code.split("\n"), [
    "To run it again:",
    "const network = simulateNetwork({",
    "  seed: 3,",
    "  fates: [",
    `    { from: "${CLIENT}", to: "${SERVER}", n: 2, lost: true },`,
    "  ],",
    "});",
    "await network.run(() => program(network));",
  ]);
  const body = code.split("\n").slice(1).join("\n");
  const Async = (async () => {}).constructor as FunctionConstructor;
  const run = Async("simulateNetwork", "program", body);
  const again = await assertRejects(
    () => run(simulateNetwork, secondReply),
    Error,
  );
  assertStringIncludes(again.message, "no second reply");
});

Deno.test("what a run was given is in the code that runs it again", async () => {
  const options = {
    now: new Date(0),
    random: "real" as const,
    limitMs: 1000,
    queue: 3,
    shrinkRuns: 0,
    loss: 0.5,
  };
  const { message } = await find(() => {
    throw new Error("always");
  }, options);
  assertStringIncludes(message, "  queue: 3,\n  loss: 0.5,\n  seed: 1,\n");
  const given = `now: new Date(0), random: "real", limitMs: 1000`;
  assertStringIncludes(message, `program(network), { ${given} });`);
});

Deno.test("a program that fails without any fault is shrunk to none", async () => {
  const { network, diagram } = await find(() => {
    throw new Error("always");
  }, ROUGH);
  assertEquals(network.fates, []);
  assertEquals(diagram, "       0  * it fails: always\n");
});

Deno.test("faults that a program sets itself are shrunk to fates as well", async () => {
  const { network: { fates } } = await find(async (network) => {
    network.set({ loss: 0.3, delayMs: { min: 1, max: 9 } });
    await secondReply(network);
  });
  assertEquals(fates?.length, 1);
  assertEquals(fates?.[0]?.lost, true);
});

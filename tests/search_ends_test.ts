/** How a search ends: whatever the program does, throws or keeps. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { bind } from "../mod.ts";
import {
  FailingSeedError,
  type Program,
  type SearchOptions,
  searchSeeds,
  simulateNetwork,
} from "../lib/testing/mod.ts";
import { consoleErrors } from "./support/helpers.ts";
import { ROUGH, secondReply, sleep } from "./support/planted.ts";

async function find(
  program: Program,
  options: SearchOptions = {},
): Promise<FailingSeedError> {
  return await assertRejects(
    () => searchSeeds(program, options),
    FailingSeedError,
  );
}

Deno.test("a program that never fails is run with each seed, in order", async () => {
  const seeds: number[] = [];
  const tried = await searchSeeds((network) => {
    seeds.push(network.seed);
  }, { seed: -1, seeds: 4 });
  assertEquals(seeds, [-1, 0, 1, 2]);
  assertEquals(tried, 4);
  assertEquals(await searchSeeds(() => {}), 100);
});

class Odd {
  get message(): string {
    throw new Error("no message");
  }
}

const trap = new Proxy({}, {
  get() {
    throw new Error("a trap");
  },
  getPrototypeOf() {
    throw new Error("a trap");
  },
});

const THROWN: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["text", "text\x1b[2J\nmore"],
  ["a frozen error", Object.freeze(new Error("frozen"))],
  ["a DOMException", new DOMException("stop", "AbortError")],
  ["an object whose message throws", new Odd()],
  ["a proxy whose traps throw", trap],
  ["a symbol", Symbol("odd")],
  ["an error without a stack", Object.assign(new Error("x"), { stack: 1 })],
];
for (const [what, thrown] of THROWN) {
  Deno.test(`${what} that a program throws is the cause, untouched and unprinted`, async () => {
    const lines = await consoleErrors(async () => {
      const error = await find(() => Promise.reject(thrown));
      assert(error.cause === thrown);
      assert(error.isDeterministic);
      assert(!error.message.includes("\x1b"));
      const [line = ""] = error.message.split("\n");
      assertStringIncludes(line, "The program fails with seed 1");
    });
    assertEquals(lines, []);
  });
}

Deno.test("the error that a program throws keeps its message", async () => {
  const mine = new RangeError("mine");
  const { cause } = await find(() => Promise.reject(mine));
  assert(cause === mine);
  assertEquals(mine.message, "mine");
});

const fail = () => {
  throw new RangeError("mine");
};
const UNCAUGHT: [string, Program][] = [
  ["thrown in a timer", () => void setTimeout(fail, 5)],
  ["thrown by the clock", ({ clock }) => void clock.after(5, fail)],
];
// `bun test` takes unhandled rejections before any program can.
if (!("Bun" in globalThis)) {
  UNCAUGHT.push(
    ["of an unhandled rejection", () => void Promise.try(fail)],
    [
      "of a rejection in a timer",
      () => void setTimeout(() => void Promise.try(fail), 5),
    ],
  );
  Deno.test("a rejection that is unhandled when the program ends is a failure", async () => {
    const { cause } = await find(() => void Promise.try(fail));
    assert(cause instanceof RangeError);
  });
}
for (const [what, begin] of UNCAUGHT) {
  Deno.test(`an error ${what} is a failure of its seed`, async () => {
    const { cause, seed } = await find(async (network) => {
      if (network.seed === 3) begin(network);
      await sleep(10);
    });
    assert(cause instanceof RangeError);
    assertEquals(seed, 3);
  });
}

Deno.test("a failure that does not come again is told in one line, with the seed", async () => {
  let runs = 0;
  const { message, isDeterministic, seed } = await find(() => {
    if (++runs === 3) throw new Error("only once");
  });
  assertEquals(isDeterministic, false);
  assertEquals(seed, 3);
  assertEquals(message.split("\n").length, 1);
  assertStringIncludes(message, "not deterministic: with seed 3");
  assertStringIncludes(message, "it did not when it was run again");
});

Deno.test("a failure that is another one when it comes again is told as well", async () => {
  let runs = 0;
  const { message, isDeterministic } = await find(() => {
    throw ++runs === 1 ? new Error("first") : new TypeError("second");
  });
  assertEquals(isDeterministic, false);
  assertStringIncludes(message, "failed otherwise: second");
});

/** Returns whether two errors, thrown in two runs of a seed, are the same failure. */
async function areSame(...throws: (() => never)[]): Promise<boolean> {
  let runs = 0;
  const { isDeterministic } = await find(
    () => throws[runs++ % throws.length]!(),
    { shrinkRuns: 0 },
  );
  return isDeterministic;
}

/** Throws, always at the same place. */
function raise(error: unknown): () => never {
  return () => {
    throw error;
  };
}

Deno.test("failures are the same if only numbers, ids and quoted text differ", async () => {
  const make = (n: number, text: string) => () => {
    throw new Error(`read ${n} of "${text}" at 10.0.0.${n}:${n}`);
  };
  const ids = () => {
    throw new Error(`no ${crypto.randomUUID()} at ${performance.now()}`);
  };
  assert(await areSame(make(1, "a"), make(22, "b c")));
  assert(await areSame(ids));
  assert(await areSame(raise("text 1"), raise("text 2")));
});

Deno.test("failures are others if their class, name, code, text or place differ", async () => {
  const here = new Error("x");
  const named = Object.assign(new Error("x"), { name: "Mine" });
  const coded = Object.assign(new Error("x"), { code: "EMINE" });
  const places = [1, 2].map(() => new Error("same")).map(raise);
  const elsewhere = raise(new Error("same"));
  assert(await areSame(...places));
  for (const other of [new TypeError("x"), named, coded, new Error("y"), "x"]) {
    assert(!await areSame(raise(here), raise(other)));
  }
  assert(!await areSame(places[0]!, elsewhere));
});

Deno.test("what a program leaves is a failure with left: reject", async () => {
  const leave: Program = (network) => {
    setTimeout(() => {}, 1000);
    bind("udp://10.0.0.1:53", { carrier: network });
  };
  const { message } = await find(leave, { left: "reject" });
  assertStringIncludes(message, "The program has left timers: setTimeout");
  assertStringIncludes(message, "open sockets: udp://10.0.0.1:53");
  const lines = await consoleErrors(async () => {
    await searchSeeds(leave, { seeds: 3 });
    await searchSeeds(leave, { seeds: 3, left: "ignore" });
  });
  assertEquals(lines.length, 1);
  assertStringIncludes(`${lines[0]}`, "(seed 1)");
});

Deno.test("a program that runs for longer than limitMs fails", async () => {
  const forever = async () => {
    for (;;) await sleep(600_000);
  };
  const { message } = await find(forever, { limitMs: 6_000_000 });
  assertStringIncludes(message, "has not ended after 6000000 ms");
  // By default that is a day.
  const { cause } = await find(forever, { shrinkRuns: 0 });
  assertStringIncludes((cause as Error).message, "86400000 ms");
  const network = simulateNetwork();
  await assertRejects(
    () => network.run(forever, { limitMs: 10 }),
    Error,
    "has not ended after 10 ms",
  );
});

Deno.test("nothing that a run has left goes on after it", async () => {
  let beats = 0;
  await searchSeeds((network) => {
    const beat = () => {
      beats++;
      network.clock.after(1, beat);
    };
    network.clock.after(1, beat);
  }, { seeds: 3 });
  const before = beats;
  await new Promise((wake) => setTimeout(wake, 5));
  assertEquals(beats, before);
});

Deno.test("an aborted signal ends the search with its reason", async () => {
  const reason = new Error("enough");
  const aborted = AbortSignal.abort(reason);
  assert(
    await searchSeeds(() => {}, { signal: aborted }).catch((e) => e) === reason,
  );
  const controller = new AbortController();
  const searching = searchSeeds(async ({ seed }) => {
    if (seed === 2) controller.abort(reason);
    await new Promise(() => {});
  }, { signal: controller.signal });
  // The first program is stuck for ever: only the signal ends it.
  controller.abort(reason);
  assert(await searching.catch((e) => e) === reason);
  assertEquals(await simulateNetwork().run(() => 1), 1);
});

Deno.test("a signal that aborts while a failure is shrunk leaves the failure", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let failed = 0;
  const { message, cause } = await find(
    (network) =>
      secondReply(network).catch((error) => {
        if (++failed === 3) controller.abort();
        throw error;
      }),
    { ...ROUGH, signal, seeds: 1000 },
  );
  assertEquals((cause as Error).message, "no second reply");
  assertStringIncludes(message, "not to the end");
});

Deno.test("a search that has no time left returns how many seeds were tried", async () => {
  const tried = await searchSeeds(async (network) => {
    if (network.seed === 3) await network.real(() => new Promise(() => {}));
  }, { timeoutMs: 50, stuckMs: Infinity });
  assertEquals(tried, 2);
});

Deno.test("shrinking ends after shrinkRuns, and what was found by then is told", async () => {
  const options = { ...ROUGH, seeds: 1000, shrinkRuns: 3 };
  const { message, network } = await find(secondReply, options);
  assertStringIncludes(message, "shrunk in 3 runs, not to the end");
  assertEquals(network.fates, undefined);
});

Deno.test("shrinking ends after shrinkMs, also in the middle of a run", async () => {
  let runs = 0;
  const { message, cause } = await find(async (network) => {
    if (++runs > 2) await network.real(() => new Promise(() => {}));
    throw new Error("always");
  }, { loss: 0.1, shrinkMs: 50, stuckMs: Infinity, timeoutMs: Infinity })
    .catch((error) => error);
  assertEquals((cause as Error).message, "always");
  assertStringIncludes(message, "not to the end");
});

Deno.test("a search beside a run is rejected as that is, and not as a failure", async () => {
  const error = await simulateNetwork().run(() =>
    searchSeeds(() => {}).catch((error) => error)
  );
  assert(!(error instanceof FailingSeedError));
  assertStringIncludes(error.message, "another run is in progress");
});

// deno-lint-ignore no-explicit-any
const WRONG: [any, string][] = [
  [{ seeds: 0 }, "Cannot search seeds: seeds must be a whole number from 1"],
  [{ seed: 0.5 }, "Cannot search seeds: seed must be a whole number"],
  [{ shrinkRuns: -1 }, "Cannot search seeds: shrinkRuns must be"],
  [{ shrinkMs: "x" }, "Cannot search seeds: shrinkMs must be"],
  [{ timeoutMs: -1 }, "Cannot search seeds: timeoutMs must be"],
  [{ signal: {} }, "Cannot search seeds: signal must be an AbortSignal"],
  [{ loss: 2 }, "Cannot simulate faults: loss must be a number from 0 to 1"],
  [{ los: 1 }, `Cannot simulate faults: there is no fault "los"`],
  [{ left: "x" }, `Cannot run: left must be "report" or "reject" or "ignore"`],
  [{ limitMs: -1 }, "Cannot run: limitMs must be milliseconds from 0"],
  [null, "Cannot search seeds: options must be an object"],
];
for (const [options, message] of WRONG) {
  Deno.test(`searchSeeds rejects options in one line: ${message}`, async () => {
    const error = await assertRejects(
      () => searchSeeds(() => {}, options),
      Error,
    );
    assertStringIncludes(error.message, message);
    assert(!error.message.includes("\n"));
  });
}

import { assert, assertEquals, assertThrows } from "@std/assert";
import crypto from "node:crypto";
import { Buffer } from "node:buffer";
import { nanoid } from "nanoid";
import { type RunOptions, simulateNetwork } from "../lib/testing/mod.ts";

const web = globalThis.crypto;

function assertNotEquals(a: unknown, b: unknown): void {
  assertThrows(() => assertEquals(a, b), Error);
}

/** Draws from everything that has a say in what a program does by chance. */
async function draw(): Promise<unknown[]> {
  const calledBack = await Promise.all([
    new Promise((done) => crypto.randomBytes(3, (_, bytes) => done(bytes))),
    new Promise((done) => crypto.randomInt(1000, (_, n) => done(n))),
    new Promise((done) =>
      crypto.randomFill(new Uint8Array(5), (_, bytes) => done([...bytes]))
    ),
  ]);
  return [
    Math.random(),
    [...web.getRandomValues(new Uint8Array(5))],
    [...web.getRandomValues(new BigInt64Array(2))].map(String),
    web.randomUUID(),
    crypto.randomUUID(),
    [...crypto.randomBytes(7)],
    crypto.randomInt(1000),
    crypto.randomInt(-5, 2 ** 40),
    [...crypto.randomFillSync(new Uint8Array(5))],
    [...crypto.webcrypto.getRandomValues(new Uint8Array(5))],
    [...crypto.getRandomValues(new Uint8Array(5))],
    ...calledBack,
  ];
}

function drawn(seed: number, options?: RunOptions): Promise<unknown[]> {
  return simulateNetwork({ seed }).run(draw, options);
}

Deno.test("all chance follows from the seed", async () => {
  const first = await drawn(7);
  assertEquals(await drawn(7), first);
  const other = await drawn(8);
  for (const [n, value] of first.entries()) assertNotEquals(other[n], value);
  assertEquals(new Set(first.map((value) => JSON.stringify(value))).size, 14);
});

Deno.test("a second run on the same network draws on, the same each time", async () => {
  const twice = async () => {
    const network = simulateNetwork({ seed: 7 });
    return [await network.run(draw), await network.run(draw)];
  };
  const [first, second] = await twice();
  assertNotEquals(first, second);
  assertEquals(await twice(), [first, second]);
});

Deno.test("chance is the same, whether the timers are virtual or real", async () => {
  assertEquals(await drawn(7, { timers: "real" }), await drawn(7));
});

Deno.test("random: real leaves chance as it is", async () => {
  const options = { random: "real" } as const;
  assertNotEquals(await drawn(7, options), await drawn(7, options));
});

Deno.test("inside network.real chance is real", async () => {
  const reals = async () => {
    const network = simulateNetwork({ seed: 7 });
    return await network.run(async () => [
      await network.real(draw),
      await draw(),
    ]);
  };
  const [[real, seeded], [realAgain, seededAgain]] = [
    await reals(),
    await reals(),
  ];
  assertNotEquals(real, realAgain);
  assertEquals(seeded, seededAgain);
});

Deno.test("chance is the platform's again after a run, also after one that throws", async () => {
  const read = () => [
    Math.random,
    Object.getOwnPropertyDescriptors(Crypto.prototype),
    Object.getOwnPropertyDescriptors(web),
    { ...crypto },
  ];
  const before = read();
  const mine = new Error("mine");
  let during;
  const failed = await simulateNetwork().run(() => {
    during = Math.random;
    throw mine;
  }).catch((error) => error);
  assert(failed === mine);
  assertNotEquals(during, before[0]);
  assertEquals(read(), before);
  const ids = Array.from({ length: 100 }, () => web.randomUUID());
  assertEquals(new Set(ids).size, 100);
});

Deno.test("a function that a package has kept in one run is right in each, and outside", async () => {
  const network = simulateNetwork({ seed: 7 });
  const kept = await network.run(() => ({
    random: Math.random,
    uuid: web.randomUUID.bind(web),
    sleep: setTimeout,
    Clock: Date,
  }));
  const use = async () => {
    await new Promise((wake) => kept.sleep(wake, 5));
    return [kept.random(), kept.uuid(), +new kept.Clock()];
  };
  const run = () => simulateNetwork({ seed: 8 }).run(use);
  const inside = await run();
  assertEquals(await run(), inside);
  const outside = await use();
  assertNotEquals(outside, await use());
  assert(outside[2] as number > (inside[2] as number));
});

Deno.test("random values are of their kinds, and in their ranges", async () => {
  await simulateNetwork().run(() => {
    for (let n = 0; n < 1000; n++) {
      const value = Math.random();
      assert(value >= 0 && value < 1);
      assert(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(web.randomUUID()));
      const [version, variant] = [14, 19].map((at) => web.randomUUID()[at]);
      assert(version === "4" && "89ab".includes(variant!));
      const int = crypto.randomInt(3, 6);
      assert(int >= 3 && int < 6);
    }
    const bytes = new Uint8Array(100_000);
    const buffer = crypto.randomFillSync(bytes);
    assert(buffer === bytes && new Set(bytes).size === 256);
    assert(Buffer.isBuffer(crypto.randomBytes(3)));
    assertEquals(crypto.randomBytes(0).length, 0);
    const words = crypto.randomFillSync(new Uint16Array(4), 1, 2);
    assertEquals([words[0], words[3]], [0, 0]);
    assert(words[1] !== 0 && words[2] !== 0);
    const memory = new ArrayBuffer(4);
    crypto.randomFillSync(memory as unknown as Uint8Array);
    assert(new Uint8Array(memory).some((byte) => byte !== 0));
  });
});

Deno.test("what the platform rejects is rejected in a run", async () => {
  await simulateNetwork().run(() => {
    const wrong: (() => unknown)[] = [
      () => web.getRandomValues(new Float32Array(1) as unknown as Uint8Array),
      () => web.getRandomValues(new Uint8Array(65_537)),
      () => crypto.randomBytes(-1),
      () => crypto.randomBytes("3" as unknown as number),
      () => crypto.randomBytes(2, 3 as unknown as () => void),
      () => crypto.randomInt(3, 3),
      () => crypto.randomInt(2 ** 48),
      () => crypto.randomFill(new Uint8Array(1), 5 as unknown as () => void),
      () => crypto.randomUUID({ disableEntropyCache: 1 as unknown as true }),
    ];
    for (const call of wrong) assertThrows(call, Error);
  });
});

Deno.test("each way to draw bytes takes as much of a seed's chance, on each runtime", async () => {
  const ways: (() => unknown)[] = [
    () => web.getRandomValues(new Uint8Array(8)),
    () => crypto.randomBytes(8),
    () => crypto.randomFillSync(new Uint8Array(8)),
    () => crypto.getRandomValues(new Uint8Array(8)),
  ];
  const all: unknown[] = [];
  for (const way of ways) {
    const both = () => [[...way() as Uint8Array], Math.random()];
    all.push(await simulateNetwork({ seed: 7 }).run(both));
  }
  assertEquals(all, ways.map(() => all[0]));
});

Deno.test("refill makes ids of a package that keeps a pool follow from the seed", async () => {
  const ids = (count: number) => {
    const network = simulateNetwork({ seed: 7 });
    return network.run(() => {
      network.refill(() => nanoid());
      return Array.from({ length: count }, () => nanoid());
    });
  };
  const first = await ids(3);
  // More than a pool has, and from any place in one.
  for (const count of [3, 500, 3]) {
    nanoid();
    assertEquals((await ids(count)).slice(0, 3), first);
  }
});

Deno.test("refill rejects what draws nothing, and does nothing if chance is real", async () => {
  const network = simulateNetwork();
  let calls = 0;
  const count = () => void calls++;
  await network.run(() => {
    const error = assertThrows(() => network.refill(count), Error);
    assertEquals(
      (error as Error).message,
      "Cannot refill: 100000 calls have drawn nothing from the run's chance",
    );
  });
  assertEquals(calls, 100_000);
  await network.run(() => network.refill(count), { random: "real" });
  network.refill(count);
  assertEquals(calls, 100_000);
});

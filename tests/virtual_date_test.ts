import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import process from "node:process";
import { performance as nodePerformance } from "node:perf_hooks";
import { type RunOptions, simulateNetwork } from "../lib/testing/mod.ts";

const NOON = new Date("2030-05-06T12:00:00.250Z");

/** Runs a program at a fixed date. */
function atNoon<T>(
  program: () => Promise<T> | T,
  options: RunOptions = {},
): Promise<T> {
  return simulateNetwork().run(program, { now: NOON, ...options });
}

const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

Deno.test("a run begins at a fixed date, and goes on where the one before ended", async () => {
  const network = simulateNetwork();
  const first = await network.run(async () => {
    const start = new Date().toISOString();
    await sleep(1500);
    return start;
  });
  assertEquals(first, "2026-01-01T00:00:00.000Z");
  const second = await network.run(() => new Date().toISOString());
  assertEquals(second, "2026-01-01T00:00:01.500Z");
});

Deno.test("the date can be given as a Date or as milliseconds", async () => {
  for (const now of [NOON, NOON.getTime()]) {
    assertEquals(await atNoon(() => Date.now(), { now }), NOON.getTime());
  }
  for (const now of [NaN, Infinity, "today", new Date(NaN), null, 9e15]) {
    await assertRejects(
      () => atNoon(() => {}, { now: now as number }),
      TypeError,
      "now must be a valid Date or milliseconds: given",
    );
  }
});

Deno.test("Date is the platform's in all but the time", async () => {
  const before = new Date();
  const Native = Date;
  await atNoon(() => {
    assertEquals([Date.name, Date.length, typeof Date], [
      "Date",
      7,
      "function",
    ]);
    assertEquals(Date(), new Date().toString());
    assertEquals((Date as (at: number) => string)(0), new Date().toString());
    assertEquals(+new Date(), NOON.getTime());
    assertEquals(new Date(2000, 0, 1).getFullYear(), 2000);
    assertEquals(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
    assertEquals(new Date(before), before);
    assertEquals(Number.isNaN(+new Date(undefined as unknown as string)), true);
    assertEquals(Date.UTC(2000), 946_684_800_000);
    assertEquals(Date.parse("2000-01-01T00:00:00Z"), 946_684_800_000);
    assert(before instanceof Date && new Date() instanceof Native);
    assertEquals(new Date().constructor === Date, true);
    assertEquals(Native.now(), NOON.getTime());
    assertEquals(+structuredClone(new Date()), NOON.getTime());
    assertEquals(JSON.stringify([new Date()]), `["${NOON.toISOString()}"]`);
  });
  assertEquals(before.constructor === Native && Date === Native, true);
});

Deno.test("a class that extends Date in a run has the run's time, and outlives it", async () => {
  const Day = await atNoon(() => {
    class Day extends Date {
      get day() {
        return this.getUTCDate();
      }
    }
    assertEquals([new Day().day, +new Day()], [6, NOON.getTime()]);
    assertEquals(new Day(0).day, 1);
    assert(new Day() instanceof Date);
    return Day;
  });
  const start = Date.now();
  assert(+new Day() >= start);
});

Deno.test("Intl and Temporal have the run's time", async () => {
  await atNoon(() => {
    const format = new Intl.DateTimeFormat("en", {
      dateStyle: "short",
      timeZone: "UTC",
    });
    assertEquals(format.format(), "5/6/30");
    assertEquals(format.format(0), "1/1/70");
    const year = format.formatToParts().at(-1)?.value;
    assertEquals(year, "30");
    const { Temporal } = globalThis as unknown as {
      Temporal?: {
        Now: Record<string, (zone?: string) => { toString(): string }>;
      };
    };
    // Node 24 and Bun have none.
    if (Temporal === undefined) return;
    const now = (name: string) => `${Temporal.Now[name]!("UTC")}`;
    assertEquals(`${Temporal.Now["instant"]!()}`, "2030-05-06T12:00:00.25Z");
    assertEquals(now("plainDateISO"), "2030-05-06");
    assertEquals(now("plainTimeISO"), "12:00:00.25");
    assertEquals(now("plainDateTimeISO"), "2030-05-06T12:00:00.25");
    assertEquals(
      now("zonedDateTimeISO"),
      "2030-05-06T12:00:00.25+00:00[UTC]",
    );
  });
});

Deno.test("performance measures the run's time", async () => {
  await atNoon(async () => {
    assertEquals(performance.timeOrigin, NOON.getTime());
    performance.mark("start");
    await sleep(1500);
    assertEquals([performance.now(), nodePerformance.now()], [1500, 1500]);
    const [start, end, given] = [
      performance.measure("all", "start"),
      performance.mark("end"),
      performance.mark("given", { startTime: 7, detail: "x" }),
    ];
    assertEquals([start.startTime, start.duration], [0, 1500]);
    assertEquals([end.startTime, given.startTime], [1500, 7]);
    const spans = [
      performance.measure("all"),
      performance.measure("all", { start: 500 }),
      performance.measure("all", { start: 500, duration: 100 }),
      performance.measure("all", "start", "end"),
    ];
    assertEquals(spans.map(({ duration }) => duration), [
      1500,
      1000,
      100,
      1500,
    ]);
  });
  performance.clearMarks();
  performance.clearMeasures();
});

Deno.test("process.hrtime measures the run's time", async () => {
  await atNoon(async () => {
    const start = process.hrtime();
    await sleep(1500);
    assertEquals(process.hrtime(), [1, 500_000_000]);
    assertEquals(process.hrtime(start), [1, 500_000_000]);
    assertEquals(process.hrtime.bigint(), 1_500_000_000n);
    assertThrows(
      () => process.hrtime("x" as unknown as [number, number]),
      TypeError,
    );
  });
});

Deno.test("all that tells the time is the platform's again after a run", async () => {
  const read = () => [
    Object.getOwnPropertyDescriptors(performance),
    Object.getOwnPropertyDescriptors(Performance.prototype),
    Object.getOwnPropertyDescriptors(Intl.DateTimeFormat.prototype),
    Object.getOwnPropertyDescriptors(Date),
    Object.getOwnPropertyDescriptor(Date.prototype, "constructor"),
    Object.getOwnPropertyDescriptor(globalThis, "Date"),
    process.hrtime,
  ];
  const before = read();
  await atNoon(() => assert(Date !== (before[5] as PropertyDescriptor).value));
  assertEquals(read(), before);
  assert(Date.now() !== NOON.getTime());
});

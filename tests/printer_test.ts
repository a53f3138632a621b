import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Message } from "../lib/collect.ts";
import { Printer } from "../lib/programs/printer.ts";
import { Datagram } from "../mod.ts";
import { net } from "./support/helpers.ts";

const FROM = net("127.0.0.1", 40_000);

function message(id: number, size: number): Message {
  const datagram = new Datagram(new Uint8Array(size), FROM, false);
  return { id, time: new Date(0), datagram };
}

/** A printer whose reader does as the test says. */
function fake(
  options: { isOnly: boolean },
  write: (bytes: Uint8Array) => Promise<number>,
) {
  const trouble: string[] = [];
  const onTrouble = (line: string) => void trouble.push(line);
  const printer = new Printer({ format: "raw", ...options, onTrouble, write });
  return { printer, trouble };
}

// Of these, 33 wait for the reader.
const MESSAGE = 1_000_000;
const stalled = () => new Promise<number>(() => {});

Deno.test("beside other sinks a printer that nobody reads never waits; it counts what it drops", async () => {
  const { printer, trouble } = fake({ isOnly: false }, stalled);
  for (let id = 1; id <= 100; id++) {
    assertEquals(printer.write([message(id, MESSAGE)]), undefined);
  }
  const { printed, waiting = NaN, dropped = NaN } = printer.stats;
  assertEquals([printed, waiting + dropped], [0, 100]);
  assert(waiting > 30 && waiting < 40, `${waiting} wait`);
  assertEquals(trouble, [
    "standard output is not read: messages are dropped, and counted",
  ]);
  await printer.close();
  assertEquals(printer.stats, { printed: 0, dropped: 100, waiting: 0 });
  assertEquals(trouble.slice(1), [`${waiting} messages could not be printed`]);
});

Deno.test("a printer that is read again prints what waited, and says so", async () => {
  let read = Promise.withResolvers<void>();
  const { printer, trouble } = fake({ isOnly: false }, async (bytes) => {
    await read.promise;
    return bytes.length;
  });
  for (let id = 1; id <= 100; id++) printer.write([message(id, MESSAGE)]);
  read.resolve();
  await printer.flush();
  read = Promise.withResolvers();
  read.resolve();
  printer.write([message(101, 1)]);
  await printer.close();
  const { printed = NaN, dropped = NaN, waiting } = printer.stats;
  assertEquals([printed + dropped, waiting], [101, 0]);
  assert(printed > 30 && dropped > 50, `${printed} printed`);
  assertEquals(trouble.slice(1), ["standard output is read again"]);
});

Deno.test("a reader that is slow again and again is reported once a minute", async () => {
  let waits: (() => void)[] = [];
  const { printer, trouble } = fake({ isOnly: false }, async (bytes) => {
    await new Promise<void>((go) => waits.push(go));
    return bytes.length;
  });
  let isRead = false;
  const reading = (async () => {
    while (!isRead || waits.length > 0) {
      const all = isRead ? waits : [];
      waits = isRead ? [] : waits;
      for (const go of all) go();
      await new Promise((go) => setTimeout(go, 0));
    }
  })();
  for (let round = 1; round <= 3; round++) {
    isRead = false;
    for (let id = 1; id <= 100; id++) printer.write([message(id, MESSAGE)]);
    isRead = true;
    await printer.flush();
  }
  await printer.close();
  await reading;
  assertEquals(trouble, [
    "standard output is not read: messages are dropped, and counted",
    "standard output is read again",
  ]);
  assert(printer.stats["dropped"]! > 60);
});

Deno.test("a printer that is the only sink makes the collector wait for its reader", async () => {
  const read = Promise.withResolvers<void>();
  const { printer } = fake({ isOnly: true }, async (bytes) => {
    await read.promise;
    return bytes.length;
  });
  let full: Promise<void> | undefined;
  for (let id = 1; id <= 10; id++) {
    full = printer.write([message(id, MESSAGE)]);
  }
  assert(full !== undefined);
  read.resolve();
  await full;
  assertEquals(printer.stats, { printed: 10, dropped: 0, waiting: 0 });
  await printer.close();
});

Deno.test("beside other sinks a printer goes on without a reader that has gone", async () => {
  const { printer, trouble } = fake(
    { isOnly: false },
    () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
  );
  printer.write([message(1, 1), message(2, 1)]);
  await printer.flush();
  printer.write([message(3, 1)]);
  assertEquals(printer.stats, { printed: 0, dropped: 3, waiting: 0 });
  assertEquals(trouble, ["standard output was closed; going on without it"]);
  await printer.close();
});

Deno.test("beside other sinks a printer tries again after a failure, and loses nothing", async () => {
  let isFull = true;
  const written: number[] = [];
  const { printer, trouble } = fake({ isOnly: false }, (bytes) => {
    if (written.length >= 4 && isFull) return Promise.reject(new Error("full"));
    written.push(...bytes.subarray(0, 2));
    return Promise.resolve(Math.min(bytes.length, 2));
  });
  printer.write([message(1, 3), message(2, 3)]);
  await printer.flush();
  assertEquals(printer.stats, { printed: 1, dropped: 0, waiting: 1 });
  isFull = false;
  while (printer.stats["waiting"]! > 0) {
    await new Promise((go) => setTimeout(go, 10));
  }
  assertEquals([printer.stats["printed"], written.length], [2, 6]);
  assertEquals(trouble, [
    "Cannot write to standard output: full; messages wait, and are counted",
    "standard output can be written again",
  ]);
  await printer.close();
});

Deno.test("a printer that is the only sink passes on that it cannot write", async () => {
  const { printer } = fake(
    { isOnly: true },
    () => Promise.reject(new Error("full")),
  );
  printer.write([message(1, 1)]);
  await assertRejects(() => printer.flush(), Error, "full");
  assertEquals(printer.stats, { printed: 0, dropped: 0, waiting: 1 });
  await assertRejects(() => printer.close(), Error, "full");
  assertEquals(printer.stats, { printed: 0, dropped: 1, waiting: 0 });
});

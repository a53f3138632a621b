import { assertEquals } from "@std/assert";
import { Gathering } from "../lib/sinks/store/gathering.ts";
import type { Message } from "../lib/sink.ts";
import { Datagram } from "../mod.ts";
import { PEER } from "./support/helpers.ts";

// Longer than any test.
const LONG_MS = 600_000;

/** Gathers messages, and records the numbers of those that are written together. */
function gather(pauseMs: number) {
  const writes: number[][] = [];
  let next = 1;
  let wake = () => {};
  const gathering = new Gathering(pauseMs, (messages) => {
    writes.push(messages.map(({ id }) => id));
    wake();
  });
  const add = (count: number, size = 0) => {
    const messages = Array.from({ length: count }, (): Message => ({
      id: next++,
      time: new Date(),
      datagram: new Datagram(new Uint8Array(0), PEER, false),
    }));
    gathering.add(messages, size);
  };
  const written = () => new Promise<void>((resolve) => wake = resolve);
  return { gathering, writes, add, written };
}

Deno.test("a message is written at once while nothing is being written", () => {
  const { gathering, writes, add } = gather(0);
  add(1);
  gathering.written();
  add(1);
  assertEquals(writes, [[1], [2]]);
});

Deno.test("messages that come while others are being written are written together after them", () => {
  const { gathering, writes, add } = gather(0);
  for (let n = 0; n < 4; n++) add(2);
  assertEquals(writes, [[1, 2]]);
  gathering.written();
  assertEquals(writes, [[1, 2], [3, 4, 5, 6, 7, 8]]);
});

Deno.test("messages that come in the pause after a write are written together when it ends", async () => {
  const { gathering, writes, add, written } = gather(1);
  add(1);
  add(1);
  add(1);
  gathering.written();
  if (writes.length === 1) await written();
  assertEquals(writes, [[1], [2, 3]]);
});

Deno.test("256 messages, or a megabyte, are written whatever is being written", () => {
  const { writes, add } = gather(LONG_MS);
  add(1);
  add(255);
  assertEquals(writes.length, 1);
  add(1);
  add(1, 1024 * 1024);
  assertEquals(writes.map(({ length }) => length), [1, 256, 1]);
});

Deno.test("what was gathered is written by a flush, and forgotten by a clear", () => {
  const { gathering, writes, add } = gather(LONG_MS);
  add(1);
  gathering.written();
  add(1);
  gathering.flush();
  add(1);
  gathering.clear();
  gathering.written();
  gathering.flush();
  assertEquals(writes, [[1], [2]]);
});

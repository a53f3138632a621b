import { assertEquals } from "@std/assert";
import { replayProgress } from "../lib/programs/replay_progress.ts";
import type { Sink } from "../lib/sink.ts";

function sink(name: string, stats: Record<string, number>): Sink {
  const nothing = () => Promise.resolve();
  return { name, stats, write: nothing, flush: nothing, close: nothing };
}

Deno.test("a backlog is described until each of its messages has an outcome", () => {
  const stats = { published: 0, duplicates: 0, refused: 0, waiting: 1000 };
  const describe = replayProgress([
    sink("store", { waiting: 5 }),
    sink("nats", stats),
  ]);
  assertEquals(describe(), "published 0 of 1000 messages that were waiting");
  // New messages wait too, behind those of the backlog.
  Object.assign(stats, { published: 600, duplicates: 399, waiting: 70_000 });
  assertEquals(describe(), "published 999 of 1000 messages that were waiting");
  stats.refused++;
  assertEquals(describe(), undefined);
});

Deno.test("without a backlog or a broker there is nothing to describe", () => {
  assertEquals(replayProgress([sink("store", { waiting: 5 })])(), undefined);
  assertEquals(replayProgress([sink("nats", { waiting: 0 })])(), undefined);
});

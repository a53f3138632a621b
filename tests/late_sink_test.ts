/** A sink that is opened later: no message is lost without a count, whatever happens. */
import { assert, assertEquals } from "@std/assert";
import { Datagram, type NetAddr } from "../mod.ts";
import type { Message, Sink } from "../lib/sink.ts";
import { type Late, LateSink } from "../lib/programs/late_sink.ts";
import { turn } from "./support/helpers.ts";

const FROM: NetAddr = { transport: "udp", hostname: "127.0.0.1", port: 9 };

function message(id: number, size = 1): Message {
  const datagram = new Datagram(new Uint8Array(size), FROM, false);
  return { id, time: new Date(0), datagram };
}

/** A sink that remembers the numbers of its messages. */
class Remembering implements Sink {
  readonly name = "store";
  readonly ids: number[] = [];
  closed = 0;

  get stats() {
    return { stored: this.ids.length, waiting: 0, notStored: 0 };
  }

  write(messages: readonly Message[]): void {
    this.ids.push(...messages.map(({ id }) => id));
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

function late() {
  const opening = Promise.withResolvers<Late>();
  const ends: number[] = [];
  const sink = new LateSink("store", opening.promise, {
    counts: ["stored", "waiting", "notStored"],
    refused: "notStored",
    onEnd: (waiting) => ends.push(waiting),
  });
  return { sink, opening, ends };
}

Deno.test("messages wait until the sink is open, and get the numbers that follow", async () => {
  const { sink, opening, ends } = late();
  const given = [message(1), message(2)];
  sink.write(given);
  assertEquals(sink.stats, { stored: 0, waiting: 2, notStored: 0 });
  await sink.flush();
  const inner = new Remembering();
  opening.resolve({ sink: inner, lastId: 40 });
  await turn();
  sink.write([message(3)]);
  assertEquals(inner.ids, [41, 42, 43]);
  // Other sinks have the same messages.
  assertEquals(given.map(({ id }) => id), [1, 2]);
  assertEquals(sink.stats, { stored: 3, waiting: 0, notStored: 0 });
  await sink.close();
  assertEquals([inner.closed, ends], [1, []]);
});

Deno.test("beyond 32 MiB messages are counted as refused, also after the sink is open", async () => {
  const { sink, opening } = late();
  for (let id = 1; id <= 1000; id++) sink.write([message(id, 60_000)]);
  const { waiting = 0, notStored = 0 } = sink.stats;
  assertEquals(waiting, Math.floor(32 * 1024 * 1024 / 60_128));
  assertEquals(waiting + notStored, 1000);
  const inner = new Remembering();
  opening.resolve({ sink: inner, lastId: 0 });
  await turn();
  sink.write([message(1001)]);
  assertEquals(inner.ids.at(-1), 1001);
  assertEquals(sink.stats, { stored: waiting + 1, waiting: 0, notStored });
  await sink.close();
});

for (
  const [what, end] of [
    ["is closed before", ({ sink }) => sink.close()],
    ["cannot be opened", ({ opening }) => opening.reject(new Error("damaged"))],
  ] satisfies [string, (all: ReturnType<typeof late>) => unknown][]
) {
  Deno.test(`if the sink ${what}, what waits and what follows is counted as refused`, async () => {
    const all = late();
    const { sink, opening, ends } = all;
    sink.write([message(1), message(2)]);
    end(all);
    await turn();
    sink.write([message(3)]);
    assertEquals(sink.stats, { stored: 0, waiting: 0, notStored: 3 });
    // It may still be opened meanwhile, and must not stay open.
    const inner = new Remembering();
    opening.resolve({ sink: inner, lastId: 0 });
    await turn();
    await sink.close();
    assert(what === "cannot be opened" || inner.closed === 1);
    assertEquals([inner.ids, ends], [[], [2]]);
  });
}

import { assert, assertEquals } from "@std/assert";
import { collect, type Message, type Sink } from "../lib/collect.ts";
import { batchBound, run } from "./support/fake_batches.ts";
import { turn } from "./support/helpers.ts";

// A message that is written at once.
const LARGE = 1024 * 1024;

/** A sink that records the texts that it gets. */
function recorder(full?: Promise<void>) {
  const texts: string[] = [];
  const sink: Sink = {
    name: "recorder",
    write: (messages: readonly Message[]) => {
      texts.push(...messages.map(({ datagram }) => datagram.text()));
      return full;
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stats: {},
  };
  return { texts, sink };
}

/** Returns the numbers from one up to another, as texts of three digits. */
function numbers(first: number, last: number): string[] {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${first + i}`.padStart(3, "0"),
  );
}

for (const count of [1, 3, 255, 256, 257, 600]) {
  Deno.test(`a collector of ${count} leaves the rest of a carrier's batch in the socket`, async () => {
    const { carrier, socket } = batchBound();
    const { texts, sink } = recorder();
    const collector = collect(socket, { sinks: [sink], count });
    carrier.deliver(run(numbers(1, 400)), run(numbers(401, 700)));
    assertEquals(await collector.finished, "count");
    assertEquals(texts, numbers(1, count));
    assertEquals(socket.stats.received, count);
    for (const text of numbers(count + 1, 700)) {
      assertEquals((await socket.tryReceive())?.text(), text);
    }
    socket.close();
  });
}

Deno.test("a collector that is stopped in the middle of a batch writes all that it has received", async () => {
  const { carrier, socket } = batchBound();
  const full = Promise.withResolvers<void>();
  const { texts, sink } = recorder(full.promise);
  // Eighteen of them are more than a sink is given at a time.
  const data = new Uint8Array(40 * 60_000);
  const runs = Array.from({ length: 40 }, (_, i) => ({
    ...run(["x"]),
    data: data.subarray(60_000 * i, 60_000 * (i + 1)),
    segmentSize: 60_000,
  }));
  const collector = collect(socket, { sinks: [sink] });
  carrier.deliver(...runs);
  while (texts.length === 0) await turn();
  await collector.stop();
  assertEquals(texts.length, socket.stats.received);
  socket.close();
});

Deno.test("a full sink is waited for in the last batch too, but not after the last message", async () => {
  const { carrier, socket } = batchBound({ maxSize: LARGE });
  const full = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const texts: string[] = [];
  const sink: Sink = {
    ...recorder().sink,
    write: (messages) => {
      texts.push(...messages.map(({ datagram }) => datagram.text()));
      return full.shift()?.promise;
    },
  };
  const [first] = full;
  const large = new Uint8Array(LARGE);
  const runs = Array.from({ length: 2 }, () => ({
    ...run(["x"]),
    ...{ data: large, segmentSize: large.length },
  }));
  const collector = collect(socket, { sinks: [sink], count: 2 });
  carrier.deliver(...runs);
  while (texts.length === 0) await turn();
  await turn();
  await turn();
  assertEquals(texts.length, 1);
  first!.resolve();
  assertEquals(await collector.finished, "count");
  assertEquals(texts.length, 2);
  socket.close();
});

Deno.test("an answer that throws in the middle of a batch leaves out only itself", async () => {
  const { carrier, socket } = batchBound();
  const errors: string[] = [];
  const collector = collect(socket, {
    count: 4,
    onError: ({ message }) => void errors.push(message),
    answer: (datagram) => {
      if (datagram.text() === "002") throw new Error("not this one");
      return datagram.text();
    },
  });
  carrier.deliver(run(numbers(1, 4)));
  await collector.finished;
  assertEquals(carrier.sent, ["001", "003", "004"]);
  assertEquals(errors, ["not this one"]);
  socket.close();
});

Deno.test("timers go on while answers to a long batch take their time", async () => {
  const { carrier, socket } = batchBound();
  let answered = 0;
  const collector = collect(socket, {
    count: 200,
    answer: () => {
      answered++;
      const until = performance.now() + 1;
      while (performance.now() < until);
      return undefined;
    },
  });
  carrier.deliver(run(numbers(1, 200)));
  while (answered === 0) await turn();
  await new Promise<void>((go) => setTimeout(go));
  assert(answered < 200, `${answered}`);
  await collector.stop();
  assertEquals(answered, socket.stats.received);
  socket.close();
});

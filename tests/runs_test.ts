import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectedSocket, type Run } from "../mod.ts";
import {
  batchBound,
  FakeRunCarrier,
  run,
  runBound,
  textsOf,
} from "./support/fake_batches.ts";
import { fakeBound } from "./support/fakes.ts";
import { PEER, SOON, STRANGER, testBoth } from "./support/helpers.ts";
import { assertAddsUp, receiveRuns } from "./support/runs.ts";

testBoth("runs deliver datagrams in order, empty ones too", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  for (const text of ["", "a", "", "", "bc", ""]) await pair.send(text);
  const runs = await receiveRuns(socket.runs(SOON), 6);
  assertEquals(runs.flatMap(textsOf), ["", "a", "", "", "bc", ""]);
  assertEquals([socket.stats.received, socket.stats.bytes], [6, 3]);
});

testBoth("runs that give up consume no datagram", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  await assertRejects(
    async () => {
      for await (const _ of socket.runs({ timeoutMs: 1 }));
    },
    Deno.errors.TimedOut,
  );
  const signal = AbortSignal.abort("enough");
  const thrown = await socket.runs({ signal }).next().catch((why) => why);
  assertEquals(thrown, "enough");
  await pair.send("later");
  assertEquals((await socket.receive(SOON)).text(), "later");
});

testBoth("runs end when the socket is closed", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  const runs = socket.runs();
  const waiting = runs.next();
  socket.close();
  assertEquals((await waiting).done, true);
  assertEquals((await runs.next()).done, true);
});

testBoth("ending runs ends a wait and leaves the socket open", async (open) => {
  await using pair = await open();
  const { socket } = pair;
  const runs = socket.runs({ reuse: true });
  const waiting = runs.next();
  await runs.return?.();
  assertEquals((await waiting).done, true);
  assertEquals((await runs.next()).done, true);
  await pair.send("x");
  assertEquals((await socket.receive(SOON)).text(), "x");
});

for (const reuse of [false, true]) {
  for (const [name, make] of Object.entries({ batchBound, runBound })) {
    const by = `${name}, reuse ${reuse}`;

    Deno.test(`${by}: runs arrive as the carrier has them`, async () => {
      const { carrier, socket } = make();
      carrier.deliver(
        run([]),
        run(["ab", "cd", "e"]),
        run([]),
        run(["x"], STRANGER),
        run([]),
      );
      const seen: unknown[] = [];
      let datagrams = 0;
      for await (const run of socket.runs({ reuse })) {
        const { segmentSize, count, truncated, from } = run;
        const { port } = from;
        seen.push([textsOf(run), segmentSize, count, truncated, port]);
        assertEquals(
          [...run].map((bytes) => new TextDecoder().decode(bytes)),
          textsOf(run),
        );
        datagrams += count;
        if (datagrams === 7) break;
      }
      const empty = [[""], 0, 1, false, PEER.port];
      assertEquals(seen, [
        empty,
        [["ab", "cd", "e"], 2, 3, false, PEER.port],
        empty,
        [["x"], 1, 1, false, STRANGER.port],
        empty,
      ]);
      assertEquals([socket.stats.received, socket.stats.bytes], [7, 6]);
      assertAddsUp(socket.stats, 7);
      socket.close();
    });

    Deno.test(`${by}: what was kept before comes first, as runs of one`, async () => {
      const { carrier, socket } = make();
      const first = socket.receive();
      carrier.deliver(run(["1", "2", "3"]), run([]), run(["4", "5"]));
      assertEquals((await first).text(), "1");
      assertEquals(socket.stats.waiting, 5);
      const kept = await receiveRuns(socket.runs({ reuse }), 5);
      assertEquals(kept.map(textsOf), [["2"], ["3"], [""], ["4"], ["5"]]);
      const next = socket.runs({ reuse }).next();
      carrier.deliver(run(["6", "7"]));
      assertEquals(textsOf((await next).value), ["6", "7"]);
      socket.close();
    });

    for (const end of ["break", "throw", "timeout", "abort"]) {
      Deno.test(`${by}: ${end} loses nothing that was not yielded`, async () => {
        const { carrier, socket } = make();
        carrier.deliver(run(["1", "2"]), run(["3", "4"]), run([]), run(["5"]));
        const controller = new AbortController();
        const { signal } = controller;
        const runs = socket.runs({ reuse, signal, timeoutMs: 30_000 });
        try {
          for await (const run of runs) {
            assertEquals(textsOf(run), ["1", "2"]);
            if (end === "break") break;
            if (end === "throw") throw new Error("enough");
            if (end === "abort") controller.abort("enough");
            else {
              const late = socket.runs({ reuse, timeoutMs: 0 });
              assertEquals(textsOf((await late.next()).value), ["3", "4"]);
              await late.return?.();
              break;
            }
          }
        } catch (error) {
          assert(error === "enough" || (error as Error).message === "enough");
        }
        const { received, waiting } = socket.stats;
        assertEquals(received + waiting, 6);
        const texts: string[] = [];
        while (socket.stats.waiting > 0) {
          texts.push((await socket.receive()).text());
        }
        assertEquals(
          texts,
          end === "timeout" ? ["", "5"] : ["3", "4", "", "5"],
        );
        assertAddsUp(socket.stats, 6);
        socket.close();
      });
    }

    Deno.test(`${by}: every way to receive gets its datagrams in order`, async () => {
      const { carrier, socket } = make();
      const runs = socket.runs({ reuse });
      const batches = socket.batches({ max: 2 });
      const each = socket[Symbol.asyncIterator]();
      carrier.deliver(run([..."01"]), run([..."2345"]), run([..."6789"]));
      const got = [
        textsOf((await runs.next()).value),
        [(await socket.receive()).text()],
        (await batches.next()).value.map((datagram: { text(): string }) =>
          datagram.text()
        ),
        textsOf((await runs.next()).value),
        [(await each.next()).value.text()],
        [(await socket.tryReceive())?.text()],
        textsOf((await runs.next()).value),
        textsOf((await runs.next()).value),
      ];
      assertEquals(got.flat().join(""), "0123456789");
      assertAddsUp(socket.stats, 10);
      socket.close();
    });

    Deno.test(`${by}: who waits first is served first`, async () => {
      const { carrier, socket } = make();
      const waiting = [
        socket.receive().then((datagram) => datagram.text()),
        socket.runs({ reuse }).next().then(({ value }) =>
          textsOf(value).join()
        ),
        socket.receive().then((datagram) => datagram.text()),
        socket.runs({ reuse }).next().then(({ value }) =>
          textsOf(value).join()
        ),
      ];
      carrier.deliver(run([..."0123456"]));
      assertEquals(await Promise.all(waiting), ["0", "1", "2", "3"]);
      assertEquals(socket.stats.waiting, 3);
      socket.close();
      assertEquals(socket.stats.dropped["closed"], 3);
      assertAddsUp(socket.stats, 7);
    });

    Deno.test(`${by}: closing counts what waited in runs`, async () => {
      const { carrier, socket } = make();
      carrier.deliver(run(["1", "2"]), run(["3", "4", "5"]), run([]));
      const { value } = await socket.runs({ reuse }).next();
      assertEquals(textsOf(value), ["1", "2"]);
      assertEquals(socket.stats.waiting, 4);
      socket.close();
      const { received, waiting, dropped } = socket.stats;
      assertEquals([received, waiting, dropped["closed"]], [2, 0, 4]);
    });

    Deno.test(`${by}: datagrams longer than maxSize are runs of one`, async () => {
      const { carrier, socket } = make({ maxSize: 3 });
      carrier.deliver(run(["12345", "abcde", "xy"]), run(["abc", "de"]));
      const runs = await receiveRuns(socket.runs({ reuse }), 5);
      assertEquals(
        runs.map((run) => [textsOf(run), run.segmentSize, run.truncated]),
        [
          [["123"], 3, true],
          [["abc"], 3, true],
          [["xy"], 2, false],
          [["abc", "de"], 3, false],
        ],
      );
      const { received, bytes, truncated } = socket.stats;
      assertEquals([received, bytes, truncated], [5, 13, 2]);
      socket.close();
    });

    Deno.test(`${by}: a maxSize of 0 leaves empty datagrams, marked`, async () => {
      const { carrier, socket } = make({ maxSize: 0 });
      carrier.deliver(run(["ab", "c"]), run([]));
      const runs = await receiveRuns(socket.runs({ reuse }), 3);
      assertEquals(
        runs.map(({ data, segmentSize, count, truncated }) => [
          data.length,
          segmentSize,
          count,
          truncated,
        ]),
        [[0, 0, 1, true], [0, 0, 1, true], [0, 0, 1, false]],
      );
      socket.close();
    });

    Deno.test(`${by}: a rate limit splits a run where the bucket ends`, async () => {
      const rateLimit = { perSecond: 1e-9, burst: 5 };
      const { carrier, socket } = make({ rateLimit });
      carrier.deliver(
        run(["1", "2", "3"]),
        run(["a", "b"], { ...STRANGER, hostname: "127.0.0.2" }),
        run(["4", "5", "6", "7"]),
        run([]),
      );
      const runs = await receiveRuns(socket.runs({ reuse }), 7);
      assertEquals(runs.map(textsOf), [
        ["1", "2", "3"],
        ["a", "b"],
        ["4", "5"],
      ]);
      assertEquals(socket.stats.dropped["rateLimited"], 3);
      assertAddsUp(socket.stats, 10);
      socket.close();
    });

    Deno.test(`${by}: a run of a rejected source is counted by its datagrams`, async () => {
      const { carrier, socket } = make({ deny: ["127.0.0.2"] });
      carrier.deliver(run(["a", "b"], { ...PEER, hostname: "127.0.0.2" }));
      carrier.deliver(run(["1", "2"]));
      const runs = await receiveRuns(socket.runs({ reuse }), 2);
      assertEquals(runs.map(textsOf), [["1", "2"]]);
      assertEquals(socket.stats.dropped["denied"], 2);
      socket.close();
    });
  }
}

Deno.test("strangers are counted by datagram", async () => {
  const carrier = new FakeRunCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  const next = socket.runs().next();
  carrier.deliver(run(["a", "b", "c"], STRANGER), run(["1", "2"]));
  assertEquals(textsOf((await next).value), ["1", "2"]);
  assertEquals(socket.stats.dropped["stranger"], 3);
  socket.close();
});

Deno.test("runs throw an error of the carrier, and then go on", async () => {
  const { carrier, socket } = fakeBound();
  const runs = socket.runs();
  carrier.fail(new Deno.errors.NetworkUnreachable("gone"));
  await assertRejects(() => runs.next(), Deno.errors.NetworkUnreachable);
  carrier.deliver("x");
  assertEquals(textsOf((await runs.next()).value), ["x"]);
  socket.close();
});

Deno.test("runs that are none are an error, and the others arrive", async () => {
  const { carrier, socket } = runBound();
  const runs = socket.runs();
  carrier.deliver(
    run(["1", "2"]),
    null as unknown as Run,
    { ...run(["x"]), count: 7 },
    run(["3"]),
  );
  await assertRejects(() => runs.next(), TypeError, "not a datagram");
  const rest = await receiveRuns(runs, 3);
  assertEquals(rest.flatMap(textsOf), ["1", "2", "3"]);
  socket.close();
});

Deno.test("each run has addresses of its own, and what its carrier tells", async () => {
  const { carrier, socket } = runBound({ maxSize: 1 });
  const to = { ...STRANGER };
  carrier.deliver({ ...run(["12", "34"]), to, ecn: 3, time: 5.5 });
  carrier.deliver(run(["7"]));
  const [first, second, third] = await receiveRuns(socket.runs(), 3);
  Object.assign(first!.from, { port: 1 });
  Object.assign(first!.to!, { port: 1 });
  assertEquals(second!.from, PEER);
  assertEquals([second!.to, second!.ecn, second!.time], [STRANGER, 3, 5.5]);
  assertEquals(Object.keys(third!), [
    "data",
    "segmentSize",
    "from",
    "truncated",
    "count",
  ]);
  socket.close();
});

/** Captures as fixtures of a simulated network. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bind, connect } from "../mod.ts";
import {
  CaptureError,
  encodeTrace,
  readCapture,
  replay,
  type Replayable,
  type ReplayOptions,
} from "../lib/capture.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { net } from "./support/helpers.ts";
import { cat, frame, pcap } from "./support/captures.ts";

const TO = net("10.0.0.1", 53);
const START = 1_700_000_000_000_000_000n;

/** A datagram of that text, so many milliseconds after the first. */
function at(ms: number | undefined, text: string, from = 2): Replayable {
  return {
    time: ms === undefined ? undefined : START + BigInt(Math.round(ms * 1e6)),
    from: net(`10.0.1.${from & 255}`, 4000 + from),
    to: TO,
    data: new TextEncoder().encode(text),
  };
}

/** What a server received, and when, in milliseconds. */
type Seen = [text: string, ms: number, port: number];

async function replayed(
  capture: Iterable<Replayable>,
  options?: ReplayOptions,
): Promise<{ seen: Seen[]; stats: Awaited<ReturnType<typeof replay>> }> {
  const network = simulateNetwork();
  return await network.run(async () => {
    await using server = bind(TO, { carrier: network });
    const seen: Seen[] = [];
    const start = network.clock.now();
    const receiving = (async () => {
      for await (const datagram of server) {
        const ms = network.clock.now() - start;
        seen.push([datagram.text(), ms, datagram.from.port]);
      }
    })();
    const stats = await replay(capture, network, options);
    await new Promise((go) => setTimeout(go, 1));
    server.close();
    await receiving;
    return { seen, stats };
  });
}

const THREE = [at(0, "a"), at(1.5, "b", 3), at(3_600_000, "c")];

Deno.test("replay sends each datagram from its sender, at its time", async () => {
  const { seen, stats } = await replayed(THREE);
  assertEquals(seen, [["a", 0, 4002], ["b", 1.5, 4003], [
    "c",
    3_600_000,
    4002,
  ]]);
  assertEquals(stats, {
    sent: 3,
    failed: 0,
    filtered: 0,
    reused: 0,
    latestMs: 0,
  });
});

for (
  const [what, options, times] of [
    ["twice as fast", { speed: 2 }, [0, 0.75, 1_800_000]],
    ["at once", { speed: Infinity }, [0, 0, 0]],
    ["at a rate", { rate: 100 }, [0, 10, 20]],
  ] as [string, ReplayOptions, number[]][]
) {
  Deno.test(`replay goes ${what}`, async () => {
    const { seen } = await replayed(THREE, options);
    assertEquals(seen.map(([, ms]) => ms), times);
  });
}

Deno.test("replay keeps the order where times go back or are missing", async () => {
  const all = [at(5, "a"), at(0, "b"), at(undefined, "c"), at(7, "d")];
  const { seen } = await replayed(all);
  assertEquals(seen.map(([text, ms]) => [text, ms]), [["a", 0], ["b", 0], [
    "c",
    0,
  ], ["d", 2]]);
});

Deno.test("replay selects by port and by network", async () => {
  const other = { ...at(1, "other port"), to: net("10.0.0.1", 54) };
  const all = [...THREE, other];
  const { seen, stats } = await replayed(all, { port: 53, from: ["10.0.1.3"] });
  assertEquals(seen.map(([text]) => text), ["b"]);
  assertEquals([stats.sent, stats.filtered], [1, 3]);
});

Deno.test("replay has 256 senders at a time, and counts those whose socket it gives up", async () => {
  const all = Array.from({ length: 600 }, (_, n) => at(n, `${n}`, n % 300));
  const { seen, stats } = await replayed(all);
  assertEquals(seen.map(([text]) => text), all.map((_, n) => `${n}`));
  assertEquals(
    seen.map(([, , port]) => port),
    all.map(({ from }) => from.port),
  );
  assertEquals(stats.reused, 600 - 256);
});

Deno.test("replay leaves an address to the program that has bound it", async () => {
  const network = simulateNetwork();
  const errors: unknown[] = [];
  const both = [at(0, "ping"), {
    ...at(1, "pong"),
    from: TO,
    to: at(0, "").from,
  }];
  await network.run(async () => {
    await using server = bind(TO, { carrier: network });
    const onError = (error: unknown) => void errors.push(error);
    const stats = await replay(both, network, { onError });
    assertEquals([stats.sent, stats.failed], [1, 1]);
    assertEquals((await server.receive()).text(), "ping");
  });
  assertEquals(errors.length, 1);
});

Deno.test("replay ends when its signal aborts, and frees its addresses", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using _server = bind(TO, { carrier: network });
    const { sent } = await replay(THREE, network, {
      signal: AbortSignal.timeout(1000),
    });
    assertEquals(sent, 2);
    await using again = bind(THREE[0]!.from, { carrier: network });
    assertEquals(again.addr.port, 4002);
  });
});

Deno.test("the time of a network stands still while a capture is read", async () => {
  const network = simulateNetwork();
  const file = pcap([frame("ping"), frame("pong")]);
  async function* slowly() {
    for (let n = 0; n < file.length; n += 50) {
      await new Promise((go) => setTimeout(go, 5));
      yield file.subarray(n, n + 50);
    }
  }
  await network.run(async () => {
    await using server = bind("udp://10.0.0.2:2000", { carrier: network });
    const waiting = server.receive({ timeoutMs: 1 });
    await replay(readCapture(slowly()), network);
    assertEquals((await waiting).text(), "ping");
    assertEquals((await server.receive()).text(), "pong");
    assertEquals(network.clock.now(), 0);
  });
});

Deno.test("replay sends what a broken file has before it throws", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using server = bind("udp://10.0.0.2:2000", { carrier: network });
    const file = cat(pcap([frame("whole")]), [1, 2, 3]);
    await assertRejects(
      () => replay(readCapture(file), network),
      CaptureError,
      "packet 2",
    );
    assertEquals((await server.receive()).text(), "whole");
    await using again = bind("udp://10.0.0.1:1000", { carrier: network });
    assertEquals(again.addr.port, 1000);
  });
});

Deno.test("the trace of a network, replayed on another, arrives alike", async () => {
  const network = simulateNetwork({ delayMs: { min: 3, max: 9 } });
  await network.run(async () => {
    await using server = bind(TO, { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.9"),
    });
    for (let n = 0; n < 20; n++) {
      await client.send(`${n}`);
      await new Promise((go) => setTimeout(go, n));
    }
    await new Promise((go) => setTimeout(go, 20));
  });
  const { trace } = network;
  const capture = await Array.fromAsync(readCapture(encodeTrace(trace)));
  const { seen } = await replayed(capture);
  const first = trace[0]!.time;
  const decoder = new TextDecoder();
  assertEquals(
    seen.map(([text]) => text),
    trace.map(({ data }) => decoder.decode(data)),
  );
  for (const [n, [, ms]] of seen.entries()) {
    // The capture has nanoseconds.
    assert(Math.abs(ms - trace[n]!.time + first) < 1e-5);
  }
});

for (
  const [options, says] of [
    [{ speed: 0 }, "speed must be a number above 0: given 0"],
    [{ rate: "1" }, "rate must be a number above 0"],
    [{ port: 65_536 }, "port must be a whole number from 0 to 65535"],
    [{ from: ["nonsense"] }, 'Invalid address "nonsense"'],
    [{ signal: {} }, "signal must be an AbortSignal"],
  ] as [object, string][]
) {
  Deno.test(`replay rejects wrong options: ${says}`, async () => {
    const network = simulateNetwork();
    await assertRejects(() => replay([], network, options), Error, says);
  });
}

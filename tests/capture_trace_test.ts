/** A simulated network's trace as a capture. */
import { assertEquals, assertThrows } from "@std/assert";
import { bind, connect } from "../mod.ts";
import { encodeTrace } from "../lib/capture.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { read } from "./support/captures.ts";

Deno.test("each datagram of a trace is in the capture, with its time and its fate", async () => {
  const network = simulateNetwork({
    seed: 3,
    loss: 0.3,
    duplicate: 0.3,
    delayMs: { min: 5.5, max: 5.5 },
  });
  await network.run(async () => {
    await using server = bind("10.0.0.1:53", { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    for (let n = 0; n < 50; n++) await client.send(`${n}`);
    await new Promise((go) => setTimeout(go, 100));
  });
  const { datagrams, texts, error } = await read(encodeTrace(network.trace));
  assertEquals(error, undefined);
  const { trace } = network;
  const decoder = new TextDecoder();
  assertEquals(texts, trace.map(({ data }) => decoder.decode(data)));
  assertEquals(
    datagrams.map(({ comments }) => comments[0]),
    trace.map(({ fate }) => fate),
  );
  assertEquals(
    new Set(trace.map(({ fate }) => fate)),
    new Set(["delivered", "lost"]),
  );
  const [start] = [BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n];
  assertEquals(
    datagrams.map(({ time }) => time! - start),
    trace.map(({ time }) => BigInt(time * 1e6)),
  );
});

Deno.test("hosts that have only a name get addresses, and the comment has the names", async () => {
  const entry = {
    time: 1.25,
    from: "udp://client:4000",
    to: "udp://server:53",
    data: new Uint8Array([1]),
    fate: "delivered",
    corrupted: true,
    reordered: true,
    ruled: true,
  };
  const back = { ...entry, from: entry.to, to: entry.from };
  const { datagrams } = await read(encodeTrace([entry, back], { now: 5 }));
  assertEquals(datagrams.map(({ from, to }) => [from.hostname, to.hostname]), [
    ["198.18.0.1", "198.18.0.2"],
    ["198.18.0.2", "198.18.0.1"],
  ]);
  assertEquals(datagrams[0]?.comments, [
    "delivered, reordered, corrupted, by a rule; client to server",
  ]);
  assertEquals(datagrams[0]?.time, 6_250_000n);
});

Deno.test("an invalid date is rejected", () => {
  for (const now of [NaN, -1, new Date(NaN), "soon" as unknown as number]) {
    assertThrows(
      () => encodeTrace([], { now }),
      TypeError,
      "now must be a Date",
    );
  }
});

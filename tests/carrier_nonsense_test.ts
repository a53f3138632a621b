import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  bind,
  type Carrier,
  ConnectedSocket,
  DatagramSocket,
  traced,
} from "../mod.ts";
import { batchBound, cut, FakeBatchCarrier } from "./support/fake_batches.ts";
import { FakeCarrier } from "./support/fakes.ts";
import { LOCAL, PEER } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const NUMBERS = [NaN, -1, 1.5, Infinity, 1e9, "1", null, undefined, {}, 1n];

for (const sent of NUMBERS) {
  Deno.test(`a sendBatch that returns ${Deno.inspect(sent)} as sent fails its batch, and the sums stay exact`, async () => {
    const { carrier, socket } = batchBound();
    carrier.sendBatch = () => Promise.resolve({ sent } as Any);
    const messages = ["a", "b", "c"].map((data) => ({ data, to: PEER }));
    const error = await assertRejects(
      () => socket.sendMany(messages),
      AggregateError,
      "Cannot send 3 of 3 messages: ",
    );
    // On a busy machine a turn may divide the batch.
    assertMatch(error.message, /its carrier sent .+ of [123] messages?$/);
    const { sentBytes, sendFailed, sending } = socket.stats;
    assertEquals([socket.stats.sent, sentBytes], [0, 0]);
    assertEquals([sendFailed, sending], [3, 0]);
    socket.close();
  });
}

for (
  const [what, sendBatch] of [
    ["returns nothing", () => undefined],
    ["returns null", () => null],
    ["throws undefined", () => {
      throw undefined;
    }],
    ["rejects with undefined", () => Promise.reject(undefined)],
    ["sends nothing, without a reason", () => ({ sent: 0 })],
    [
      "rejects with an error whose message throws",
      () =>
        Promise.reject(Object.defineProperty(new Error(), "message", {
          get() {
            throw new Error("no message");
          },
        })),
    ],
  ] as [string, () => Any][]
) {
  Deno.test(`a sendBatch that ${what} ends sendMany with errors, and the sums stay exact`, async () => {
    const { carrier, socket } = batchBound();
    carrier.sendBatch = sendBatch;
    const messages = ["a", "b"].map((data) => ({ data, to: PEER }));
    await assertRejects(() => socket.sendMany(messages), AggregateError);
    const { sent, sendFailed, sending } = socket.stats;
    assertEquals([sent, sendFailed, sending], [0, 2, 0]);
    socket.close();
  });
}

Deno.test("a sendBatch with an error after the last message has sent all", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = ({ length }) => ({ sent: length, error: new Error("?") });
  assertEquals(await socket.sendMany([{ data: "a", to: PEER }]), 1);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [1, 0]);
  socket.close();
});

const ARRIVALS: Any[] = [
  undefined,
  null,
  5,
  {},
  [],
  [new Uint8Array(1)],
  [new Uint8Array(1), null],
  [new Uint8Array(1), { transport: "udp", hostname: 5, port: 1 }],
  ["text", PEER],
  [{ length: 1 }, PEER],
];
for (const arrival of ARRIVALS) {
  Deno.test(`a receive that resolves with ${Deno.inspect(arrival, { compact: true, breakLength: Infinity })} is an error of one receive`, async () => {
    const carrier = new FakeCarrier({});
    const receive = carrier.receive.bind(carrier);
    let calls = 0;
    carrier.receive = (buffer) =>
      calls++ === 0 ? Promise.resolve(arrival) : receive(buffer);
    const socket = new DatagramSocket(carrier, { deny: ["192.0.2.1"] });
    await assertRejects(
      () => socket.receive(),
      TypeError,
      "Cannot receive on udp://127.0.0.1:62000: the carrier returned something that is not a datagram",
    );
    carrier.deliver("next");
    assertEquals((await socket.receive()).text(), "next");
    assertEquals(socket.stats.received, 1);
    socket.close();
  });
}

const good = cut(new TextEncoder().encode("good"), 4);
const RUNS: [string, Any][] = [
  ["nothing", undefined],
  ["a number", 5],
  ["a null", [null]],
  ["text", ["run"]],
  ["a run without bytes", [{ ...good, data: undefined }]],
  ["a run without a sender", [{ ...good, from: null }]],
  ["a negative segment size", [{ ...good, segmentSize: -1 }]],
  ["a segment size of NaN", [{ ...good, segmentSize: NaN }]],
  ["bytes of segment size 0", [{ ...good, segmentSize: 0 }]],
  ["too large a count", [{ ...good, count: 1e9 }]],
  ["a count of 0", [{ ...good, count: 0 }]],
  ["a count of NaN", [{ ...good, count: NaN }]],
];
for (const [what, runs] of RUNS) {
  for (const how of ["receive", "batches", "reuse"]) {
    Deno.test(`${how}: a receiveBatch that resolves with ${what} is one error, and good runs arrive`, async () => {
      const carrier = new FakeBatchCarrier();
      const socket = new DatagramSocket(carrier);
      const batches = socket.batches({ reuse: how === "reuse" });
      const next = async () =>
        how === "receive"
          ? (await socket.receive()).text()
          : (await batches.next()).value[0].text();
      const receiveBatch = carrier.receiveBatch.bind(carrier);
      carrier.receiveBatch = () => {
        carrier.receiveBatch = receiveBatch;
        return Promise.resolve(Array.isArray(runs) ? [...runs, good] : runs);
      };
      await assertRejects(next, TypeError, "not a datagram");
      if (Array.isArray(runs)) assertEquals(await next(), "good");
      carrier.deliver(good);
      assertEquals(await next(), "good");
      socket.close();
    });
  }
}

Deno.test("a receiveBatch that resolves with an array with a hole is one error", async () => {
  const carrier = new FakeBatchCarrier();
  const socket = new DatagramSocket(carrier);
  const receiveBatch = carrier.receiveBatch.bind(carrier);
  carrier.receiveBatch = () => {
    carrier.receiveBatch = receiveBatch;
    return Promise.resolve(Object.assign(new Array(2), { 1: good }));
  };
  await assertRejects(() => socket.receive(), TypeError, "not a datagram");
  assertEquals((await socket.receive()).text(), "good");
  socket.close();
});

Deno.test("drops and connections that are not counts are left out, and stats never throws", () => {
  const carrier = Object.assign(new FakeCarrier({}), {
    drops: (): Any => ({ good: 2, a: NaN, b: "3", c: -1, d: 1n, e: null }),
    connections: (): Any => ({ good: 1, bad: Infinity }),
  });
  const socket = new DatagramSocket(carrier);
  const { dropped, connections } = socket.stats;
  assertEquals(dropped, { stranger: 0, queueFull: 0, closed: 0, good: 2 });
  assertEquals(connections, { good: 1 });
  for (const nonsense of [null, undefined, 5, "text", [NaN]]) {
    carrier.drops = () => nonsense;
    assertEquals(Object.values(socket.stats.dropped), [0, 0, 0]);
  }
  carrier.drops = carrier.connections = () => {
    throw new Error("no");
  };
  assertEquals(socket.stats.connections, {});
  socket.close();
});

Deno.test("kernelDrops is a count or undefined, and never rejects", async () => {
  const carrier: Carrier = new FakeCarrier({});
  const socket = new DatagramSocket(carrier);
  for (
    const [kernelDrops, wanted] of [
      [() => Promise.resolve(3), 3],
      [() => 4, 4],
      [() => Promise.reject(new Error("no")), undefined],
      [() => {
        throw new Error("no");
      }, undefined],
      ...NUMBERS.filter((n) => n !== 1e9)
        .map((n) => [() => Promise.resolve(n), undefined]),
    ] as [Any, number | undefined][]
  ) {
    carrier.kernelDrops = kernelDrops;
    assertEquals(await socket.kernelDrops(), wanted);
  }
  socket.close();
});

Deno.test("a maxSize of the carrier that is not a number is UDP's limit", async () => {
  for (const nonsense of [NaN, -1, "5", null]) {
    const carrier = Object.assign(new FakeCarrier({}), {
      maxSize: () => nonsense as Any,
    });
    const socket = new DatagramSocket(carrier);
    await socket.send(new Uint8Array(65_507), PEER);
    await assertRejects(
      () => socket.send(new Uint8Array(65_508), PEER),
      RangeError,
    );
    socket.close();
  }
});

Deno.test("a carrier that hands out an address that is its own keeps its address", () => {
  const socket = new ConnectedSocket(new FakeCarrier({}), PEER);
  socket.addr.port = 1;
  socket.remote.port = 1;
  assertEquals([LOCAL.port, PEER.port], [62_000, 40_000]);
  socket.close();
});

Deno.test("a carrier that is traced may return nonsense, too", async () => {
  for (const nonsense of [undefined, null, 5, {}, [], [null], [[]]]) {
    const carrier = Object.assign(new FakeBatchCarrier(), {
      receiveBatch: () => Promise.resolve(nonsense as Any),
      sendBatch: () => Promise.resolve(nonsense as Any),
    });
    const source = traced({ listen: () => carrier }, () => {});
    const socket = bind(LOCAL, { carrier: source });
    if (!Array.isArray(nonsense) || nonsense.length > 0) {
      await assertRejects(() => socket.receive(), TypeError, "not a datagram");
    }
    await assertRejects(
      () => socket.sendMany([{ data: "x", to: PEER }]),
      AggregateError,
      "its carrier sent undefined of 1 message",
    );
    socket.close();
  }
});

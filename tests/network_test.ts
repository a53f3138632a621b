import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, InvalidAddressError } from "../mod.ts";
import {
  simulateNetwork,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";
import type { Faults, SimulatedNetwork } from "../lib/testing/mod.ts";

const COUNT = 2000;

/** Sends numbers from one socket to another, and returns those that arrived. */
function sendNumbers(network: SimulatedNetwork): Promise<number[]> {
  return network.run(async () => {
    const came: number[] = [];
    await withSockets(async (socket, client) => {
      for (let n = 0; n < COUNT; n++) {
        await client.send(`${n}`);
        let datagram;
        while ((datagram = await socket.tryReceive())) {
          came.push(Number(datagram.text()));
        }
      }
      for (let timedOut = false; !timedOut;) {
        await socket.receive({ timeoutMs: 1000 }).then(
          (datagram) => came.push(Number(datagram.text())),
          () => timedOut = true,
        );
      }
    }, { carrier: network });
    return came;
  });
}

function isSorted(numbers: number[]): boolean {
  return numbers.every((n, i) => i === 0 || numbers[i - 1]! <= n);
}

Deno.test("a network without faults delivers everything, in order, at once", async () => {
  const network = simulateNetwork();
  const came = await sendNumbers(network);
  assertEquals(came, Array.from({ length: COUNT }, (_, n) => n));
  const { sent, delivered, inFlight } = network.stats;
  assertEquals([sent, delivered, inFlight], [COUNT, COUNT, 0]);
});

for (
  const [what, faults, check] of [
    [
      "loses datagrams",
      { loss: 0.1 },
      ({ lost, delivered }) => near(lost, 0.1) && lost + delivered === COUNT,
    ],
    [
      "duplicates datagrams",
      { duplicate: 0.1 },
      ({ duplicated, delivered }) =>
        near(duplicated, 0.1) && delivered === COUNT + duplicated,
    ],
    [
      "drops datagrams that are longer than its mtu",
      { mtu: 3 },
      ({ overMtu, delivered }) => overMtu === 1000 && delivered === 1000,
    ],
  ] as [string, Faults, (stats: SimulatedNetwork["stats"]) => boolean][]
) {
  Deno.test(`a network ${what} as configured, and counts them`, async () => {
    const network = simulateNetwork(faults);
    const came = await sendNumbers(network);
    assertEquals(came.length, network.stats.delivered);
    assert(isSorted(came));
    assert(check(network.stats), JSON.stringify(network.stats));
  });
}

function near(n: number, probability: number): boolean {
  return Math.abs(n - COUNT * probability) < COUNT * probability * 0.3;
}

Deno.test("delay keeps the order, whatever its spread, and reorder does not", async () => {
  const delayMs = { min: 0, max: 100 };
  assert(isSorted(await sendNumbers(simulateNetwork({ delayMs }))));
  const came = await sendNumbers(simulateNetwork({ delayMs, reorder: 0.1 }));
  assert(!isSorted(came));
  assertEquals(came.toSorted((a, b) => a - b).length, COUNT);
});

Deno.test("a delay is as long as configured, in the network's time", async () => {
  const network = simulateNetwork({ delayMs: { min: 20, max: 80 } });
  await network.run(() =>
    withServer(({ data }) => data, async (client) => {
      for (let n = 0; n < 100; n++) {
        const start = network.clock.now();
        await client.request("x");
        const took = network.clock.now() - start;
        assert(took >= 40 && took <= 160, `${took} ms`);
      }
    }, { carrier: network })
  );
});

Deno.test("corruption flips one bit", async () => {
  const network = simulateNetwork({ corrupt: 1 });
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send(new Uint8Array(50));
      const { data } = await socket.receive();
      const bits = Array.from(data, (byte) => byte.toString(2)).join("");
      assertEquals(bits.replaceAll("0", ""), "1");
      await client.send("");
      assertEquals((await socket.receive()).data.length, 0);
    }, { carrier: network })
  );
});

Deno.test("corrupted and reordered datagrams are counted, and marked in the trace", async () => {
  const network = simulateNetwork({ corrupt: 0.2, reorder: 0.3 });
  await sendNumbers(network);
  const { stats, trace } = network;
  const texts = new Set(Array.from({ length: COUNT }, (_, n) => `${n}`));
  const decoder = new TextDecoder();
  for (const mark of ["corrupted", "reordered"] as const) {
    const marked = trace.filter((entry) => entry[mark]);
    assertEquals(marked.length, stats[mark]);
    assert(near(stats[mark], mark === "corrupted" ? 0.2 : 0.3));
  }
  const wrong = trace.filter(({ data }) => !texts.has(decoder.decode(data)));
  assert(wrong.length > 0 && wrong.every(({ corrupted }) => corrupted));
});

Deno.test("without faults nothing is marked as corrupted or reordered", async () => {
  const network = simulateNetwork({ delayMs: { min: 0, max: 50 } });
  await sendNumbers(network);
  const { corrupted, reordered } = network.stats;
  assertEquals([corrupted, reordered], [0, 0]);
  assert(network.trace.every((entry) => !entry.corrupted && !entry.reordered));
});

Deno.test("bandwidth spaces datagrams, and those that find the queue full are dropped", async () => {
  // 100 bytes and 28 of headers at 1,024 bits a second: one a second.
  const network = simulateNetwork({ bandwidth: 1024, queue: 4 });
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 0; n < 6; n++) await client.send(new Uint8Array(100));
      for (let n = 1; n <= 4; n++) {
        await socket.receive();
        assertEquals(network.clock.now(), n * 1000);
      }
      assertEquals(network.stats.queueFull, 2);
    }, { carrier: network })
  );
});

Deno.test("a receiver that does not read has room for `queue` datagrams, and counts the rest", async () => {
  const network = simulateNetwork({ queue: 10 });
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 0; n < 15; n++) await client.send(`${n}`);
      await new Promise<void>((wake) => network.clock.after(1000, wake));
      for (let n = 0; n < 10; n++) {
        assertEquals((await socket.receive()).text(), `${n}`);
      }
      assertEquals(network.stats.queueFull, await socket.kernelDrops());
      assertEquals(network.stats.queueFull, 5);
    }, { carrier: network })
  );
});

Deno.test("faults apply to one direction, one host or all, and change while it runs", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using server = bind("udp://10.0.0.1:1", { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    await using other = await connect(server.addr, {
      carrier: network.host("10.0.0.3"),
    });
    const passes = async (socket: typeof client) => {
      await socket.send("x");
      return await server.receive({ timeoutMs: 10 }).then(
        () => true,
        () => false,
      );
    };
    assertEquals([await passes(client), await passes(other)], [true, true]);
    network.set({ loss: 1 }, { from: "10.0.0.2", to: "10.0.0.1:1" });
    assertEquals([await passes(client), await passes(other)], [false, true]);
    await server.send("back", client.addr);
    assertEquals((await client.receive()).text(), "back");
    network.set({ loss: 0 }, { from: "10.0.0.2", to: "10.0.0.1:1" });
    network.set({ loss: 1 });
    assertEquals([await passes(client), await passes(other)], [false, false]);
    network.set({ loss: 0 });
    assertEquals([await passes(client), await passes(other)], [true, true]);
    assertThrows(() => network.set({ loss: 2 }), RangeError, "loss must be");
  });
});

Deno.test("faults are read when they are set: changing the object later has no effect", async () => {
  const delayMs = { min: 10, max: 10 };
  const network = simulateNetwork({ delayMs });
  network.set({ loss: undefined, delayMs: undefined });
  delayMs.max = -1;
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("x");
      await socket.receive();
      assertEquals(network.clock.now(), 10);
    }, { carrier: network })
  );
});

for (const delay of [0, 50]) {
  Deno.test(`an endless sendMany lets timers and clocks go on at a delay of ${delay} ms`, async () => {
    const network = simulateNetwork({ delayMs: { min: delay, max: delay } });
    const endless = (function* () {
      for (;;) yield "x";
    })();
    await network.run(() =>
      withSockets(async (socket, client) => {
        const sending = client.sendMany(endless).catch((error) => error);
        await using idle = bind("udp://10.0.0.1:1", { carrier: network });
        await assertRejects(
          () => idle.receive({ timeoutMs: 100 }),
          Deno.errors.TimedOut,
        );
        await new Promise((wake) => setTimeout(wake, 20));
        assertEquals((await socket.receive()).text(), "x");
        assert(network.stats.inFlight < 100_000);
        client.close();
        await sending;
      }, { carrier: network })
    );
  });
}

Deno.test("what is in flight has a limit in bytes, and the rest is counted", async () => {
  const network = simulateNetwork({ delayMs: { min: 1000, max: 1000 } });
  await network.run(() =>
    withSockets(async (_, client) => {
      for (let n = 0; n < 1100; n++) await client.send(new Uint8Array(65_507));
      const { sent, inFlight, queueFull } = network.stats;
      assertEquals(inFlight + queueFull, sent);
      assert(inFlight > 900 && inFlight < 1025, `${inFlight}`);
    }, { carrier: network })
  );
});

Deno.test("a datagram to an address that is not bound is unreachable", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using client = await connect("udp://10.0.0.9:9", {
      carrier: network,
    });
    await assertRejects(
      () => client.request("x", { timeoutMs: 5, retries: 2 }),
      Deno.errors.TimedOut,
    );
  });
  assertEquals(network.stats.unreachable, 3);
});

Deno.test("addresses that the network cannot have are rejected", async () => {
  const network = simulateNetwork();
  for (
    const [address, error] of [
      ["udp://0.0.0.0:1", Deno.errors.AddrNotAvailable],
      ["unix:/tmp/pli.sock", InvalidAddressError],
    ] as const
  ) {
    assertThrows(() => bind(address, { carrier: network }), error, address);
  }
  await using first = bind("udp://10.0.0.1:5", { carrier: network });
  assertThrows(
    () => bind(first.addr, { carrier: network }),
    Deno.errors.AddrInUse,
    "udp://10.0.0.1:5",
  );
});

Deno.test("the numbers of a network may be changed, without effect", async () => {
  const network = simulateNetwork();
  network.stats.sent = 7;
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("x");
      await socket.receive();
    }, { carrier: network })
  );
  const { sent, delivered } = network.stats;
  assertEquals([sent, delivered], [1, 1]);
});

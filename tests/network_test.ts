import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, connect, InvalidAddressError } from "../mod.ts";
import {
  simulateNetwork,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";
import type { Faults, SimulatedNetwork } from "../lib/testing/mod.ts";

const COUNT = 2000;

/** Sends numbers from one socket to another, and gives those that came. */
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
  return numbers.every((n, i) => i === 0 || numbers[i - 1] <= n);
}

Deno.test("a network without faults delivers all, in order, at once", async () => {
  const network = simulateNetwork();
  const came = await sendNumbers(network);
  assertEquals(came, Array.from({ length: COUNT }, (_, n) => n));
  const { sent, delivered, inFlight } = network.stats;
  assertEquals([sent, delivered, inFlight], [COUNT, COUNT, 0]);
});

for (
  const [what, faults, check] of [
    [
      "loses",
      { loss: 0.1 },
      ({ lost, delivered }) => near(lost, 0.1) && lost + delivered === COUNT,
    ],
    [
      "doubles",
      { duplicate: 0.1 },
      ({ duplicated, delivered }) =>
        near(duplicated, 0.1) && delivered === COUNT + duplicated,
    ],
    [
      "drops what is longer than its mtu",
      { mtu: 3 },
      ({ overMtu, delivered }) => overMtu === 1000 && delivered === 1000,
    ],
  ] as [string, Faults, (stats: SimulatedNetwork["stats"]) => boolean][]
) {
  Deno.test(`a network ${what}, as told and counted`, async () => {
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

Deno.test("delay keeps the order, whatever its spread; reorder does not", async () => {
  const delayMs = { min: 0, max: 100 };
  assert(isSorted(await sendNumbers(simulateNetwork({ delayMs }))));
  const came = await sendNumbers(simulateNetwork({ delayMs, reorder: 0.1 }));
  assert(!isSorted(came));
  assertEquals(came.toSorted((a, b) => a - b).length, COUNT);
});

Deno.test("a delay is as long as told, in the network's time", async () => {
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

Deno.test("bandwidth spaces datagrams, and what finds the queue full is dropped", async () => {
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

Deno.test("a receiver that does not read has room for `queue` datagrams, and knows what it lost", async () => {
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

Deno.test("faults hold for one direction, one host or all, and change while it runs", async () => {
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

Deno.test("a partition lets nothing pass in either direction until it is healed", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using server = bind("udp://10.0.0.1:1", { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    const exchange = async () => {
      await client.send("there");
      await server.send("back", client.addr);
      const came = [server, client].map((socket) =>
        socket.receive({ timeoutMs: 10 }).then(() => true, () => false)
      );
      return await Promise.all(came);
    };
    network.partition("10.0.0.1", "10.0.0.2");
    assertEquals(await exchange(), [false, false]);
    assertEquals(network.trace.map(({ fate }) => fate), [
      "partitioned",
      "partitioned",
    ]);
    network.heal("10.0.0.2", "10.0.0.1");
    assertEquals(await exchange(), [true, true]);
    network.partition("10.0.0.1:1", "10.0.0.2");
    assertEquals(await exchange(), [false, false]);
    network.heal();
    assertEquals(await exchange(), [true, true]);
    assertEquals(network.stats.lost, 4);
  });
});

Deno.test("what is sent to nobody is unreachable", async () => {
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

Deno.test("a program that would hang is told so, and a failure says the seed", async () => {
  const network = simulateNetwork({ seed: 77 });
  await assertRejects(
    () => network.run(() => new Promise(() => {})),
    Error,
    "The program waits, and neither the network nor its clock has anything to come (simulated network, seed 77)",
  );
  await assertRejects(
    () => network.run(() => Promise.reject(new RangeError("mine"))),
    RangeError,
    "mine (simulated network, seed 77)",
  );
});

Deno.test("addresses that the network does not have are refused", async () => {
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

Deno.test("withServer fails with what the handler threw", async () => {
  const network = simulateNetwork();
  const error = await assertRejects(() =>
    network.run(() =>
      withServer(() => {
        throw new Deno.errors.NotFound("oops");
      }, async (client) => {
        await client.request("x").catch(() => {});
      }, { carrier: network })
    ), Deno.errors.NotFound);
  assertStringIncludes(error.message, "oops");
});

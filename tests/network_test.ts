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
import { consoleErrors } from "./support/helpers.ts";

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

Deno.test("a partition drops everything in both directions until it is healed", async () => {
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

/** Whether a datagram passes from a host to a server on the other. */
async function passes(
  network: SimulatedNetwork,
  from: string,
  to: string,
): Promise<boolean> {
  await using server = bind(to, { carrier: network });
  await using client = await connect(server.addr, {
    carrier: network.host(from),
  });
  await client.send("x");
  return await server.receive({ timeoutMs: 10 }).then(() => true, () => false);
}

// A place, a host that it names, and the address of a socket there.
const SPELLINGS: [string, string, string][] = [
  ["2001:db8:0:0:0:0:0:1", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["2001:DB8::1", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["[2001:db8::1]", "2001:db8:0::1", "udp://[2001:db8:0:0::1]:53"],
  ["[2001:db8::1]:53", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["udp://[2001:db8:0::1]:53", "2001:db8::1", "udp://[2001:db8::1]:53"],
  ["localhost", "127.0.0.1", "udp://127.0.0.1:53"],
  ["LOCALHOST:53", "localhost", "udp://localhost:53"],
  ["localhost", "::1", "udp://[::1]:53"],
  ["::ffff:10.0.0.1", "10.0.0.1", "udp://10.0.0.1:53"],
  ["10.0.0.1", "::ffff:10.0.0.1", "udp://[::ffff:10.0.0.1]:53"],
  ["fe80::1", "fe80::1%eth0", "udp://[fe80::1%eth0]:53"],
  ["Web:53", "web", "udp://WEB:53"],
];
for (const [place, host, address] of SPELLINGS) {
  Deno.test(`${place} names ${address} in partitions, heal and set`, async () => {
    const network = simulateNetwork();
    await network.run(async () => {
      network.partition(place, "10.0.0.9");
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.heal(place);
      assertEquals(await passes(network, "10.0.0.9", address), true);
      network.set({ loss: 1 }, { to: place });
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.set({ loss: 0 }, { to: place });
      network.partition("10.0.0.9", host);
      assertEquals(await passes(network, "10.0.0.9", address), false);
      network.heal();
      assertEquals(await passes(network, host, "udp://10.0.0.9:9"), true);
    });
  });
}

for (
  const [from, to] of [
    ["udp://localhost:53", "udp://127.0.0.1:53"],
    ["udp://127.0.0.1:53", "udp://localhost:53"],
    ["udp://[::ffff:127.0.0.1]:53", "udp://localhost:53"],
  ] as const
) {
  Deno.test(`a socket that is bound to ${from} is reached as ${to}`, async () => {
    const network = simulateNetwork();
    await network.run(async () => {
      await using server = bind(from, { carrier: network });
      await using client = await connect(to, { carrier: network });
      await using other = bind("udp://127.0.0.1:9", { carrier: network });
      await client.send("a");
      await other.send("b", to);
      for (const text of ["a", "b"]) {
        const datagram = await server.receive();
        assertEquals(datagram.text(), text);
        await server.send("back", datagram.from);
      }
      assertEquals((await client.receive()).text(), "back");
      assertEquals(server.addr.hostname, "127.0.0.1");
      assertThrows(() => bind(to, { carrier: network }), Deno.errors.AddrInUse);
    });
  });
}

for (
  const place of [
    "10.0.0.999",
    "10.0.0.1:70000",
    "10.0.0.1:0",
    "0.0.0.0",
    "[::]:53",
    "tcp://10.0.0.1:53",
    "unix:/tmp/pli.sock",
    "no host",
    "[10.0.0.1]",
    "",
  ]
) {
  Deno.test(`a place that no socket can have is rejected: "${place}"`, () => {
    const network = simulateNetwork();
    for (
      const give of [
        () => network.partition(place, "10.0.0.1"),
        () => network.partition("10.0.0.1", place),
        () => network.heal(place),
        () => network.set({ loss: 1 }, { from: place }),
        () => network.set({ loss: 1 }, { to: place }),
        () => network.host(place),
      ]
    ) assertThrows(give, InvalidAddressError, place);
  });
}

Deno.test("a host with a port is rejected", () => {
  assertThrows(
    () => simulateNetwork().host("10.0.0.1:53"),
    InvalidAddressError,
  );
});

Deno.test("a partition also drops the datagrams that are in flight", async () => {
  const network = simulateNetwork({ delayMs: { min: 100, max: 100 } });
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("in flight");
      network.partition("127.0.0.1", "127.0.0.1");
      await assertRejects(
        () => socket.receive({ timeoutMs: 500 }),
        Deno.errors.TimedOut,
      );
      assertEquals(network.trace.map(({ fate, time }) => [fate, time]), [
        ["partitioned", 100],
      ]);
      await client.send("healed in flight");
      network.heal();
      await client.send("after");
      assertEquals((await socket.receive()).text(), "after");
      assertEquals([network.stats.lost, network.stats.inFlight], [2, 0]);
    }, { carrier: network })
  );
});

Deno.test("heal of one host ends all its partitions, and no others", async () => {
  const network = simulateNetwork();
  const between = (from: string, to: string) =>
    passes(network, from, `udp://${to}:53`);
  await network.run(async () => {
    network.partition("10.0.0.1", "10.0.0.2");
    network.partition("10.0.0.3", "10.0.0.1:53");
    network.partition("10.0.0.2", "10.0.0.3");
    network.heal("10.0.0.1:53");
    assertEquals(await between("10.0.0.3", "10.0.0.1"), true);
    assertEquals(await between("10.0.0.2", "10.0.0.1"), false);
    network.heal("10.0.0.1");
    assertEquals(await between("10.0.0.2", "10.0.0.1"), true);
    assertEquals(await between("10.0.0.2", "10.0.0.3"), false);
    network.heal("10.0.0.3", "10.0.0.2");
    assertEquals(await between("10.0.0.2", "10.0.0.3"), true);
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

Deno.test("a stuck program ends, and the error lists the seed and the open sockets", async () => {
  const network = simulateNetwork({ seed: 77, stuckMs: 20 });
  const error = await assertRejects(() =>
    network.run(async () => {
      await using server = bind("udp://10.0.0.1:53", { carrier: network });
      await using client = await connect(server.addr, { carrier: network });
      await client.send("unread");
      await client.receive();
    }), Error);
  assertEquals(
    error.message,
    "The program is stuck: it waits, but nothing is pending on the simulated " +
      "network or its clock (if it waits for something real, raise stuckMs); " +
      "open sockets: udp://10.0.0.1:53 (1 unread), " +
      "udp://127.0.0.1:49152 (receiving) (simulated network, seed 77)",
  );
  await assertRejects(
    () => simulateNetwork({ stuckMs: 20 }).run(() => new Promise(() => {})),
    Error,
    "open sockets: none (simulated network, seed 1)",
  );
});

Deno.test("of many open sockets the error about a stuck program lists ten", async () => {
  const network = simulateNetwork({ stuckMs: 20 });
  await assertRejects(
    () =>
      network.run(async () => {
        for (let n = 0; n < 12; n++) {
          bind("udp://10.0.0.1:0", { carrier: network });
        }
        await new Promise(() => {});
      }),
    Error,
    "udp://10.0.0.1:49161 (idle), 2 more (simulated",
  );
});

Deno.test("a program that waits for something real for 1.5 s is not stuck by default", async () => {
  const network = simulateNetwork();
  const wait = () => new Promise((wake) => setTimeout(wake, 1500, "woken"));
  assertEquals(await network.run(wait), "woken");
});

Deno.test("a program that uses the network between real waits is not stuck", async () => {
  const network = simulateNetwork({ stuckMs: 300 });
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 0; n < 6; n++) {
        await new Promise((wake) => setTimeout(wake, 100));
        await client.send(`${n}`);
        await socket.receive();
      }
    }, { carrier: network })
  );
});

for (const stuckMs of [0, -1, NaN, 1.5]) {
  Deno.test(`stuckMs ${stuckMs} is rejected`, () => {
    const wanted = "stuckMs must be a whole number from 1, or Infinity";
    assertThrows(() => simulateNetwork({ stuckMs }), RangeError, wanted);
  });
}

Deno.test("an error inside run keeps its class and identity, and has the seed", async () => {
  const network = simulateNetwork({ seed: 77 });
  const mine = new RangeError("mine");
  for (let time = 1; time <= 2; time++) {
    const error = await network.run(() => Promise.reject(mine)).catch((e) => e);
    assert(error === mine);
    assertEquals(mine.message, "mine (simulated network, seed 77)");
  }
});

const UNWRITABLE: [string, (fail: AbortController) => unknown, string][] = [
  ["an AbortSignal's", ({ signal }) => signal.reason, "stop"],
  ["a frozen", () => Object.freeze(new Error("frozen")), "frozen"],
  ["a thrown text's", () => "text", "text"],
  ["a thrown nothing's", () => undefined, "undefined"],
];
for (const [whose, make, text] of UNWRITABLE) {
  Deno.test(`${whose} message is not changed by run, and the seed is printed`, async () => {
    const controller = new AbortController();
    controller.abort(new DOMException("stop", "AbortError"));
    const thrown = make(controller);
    const network = simulateNetwork({ seed: 77 });
    const calls = await consoleErrors(async () => {
      const caught = await network.run(() => Promise.reject(thrown))
        .then(() => "resolved", (error) => error);
      assert(caught === thrown);
    });
    assertEquals(calls, [[`${text} (simulated network, seed 77)`]]);
  });
}

Deno.test("a receive that its signal ends rejects with the signal's reason in run", async () => {
  const network = simulateNetwork({ seed: 77 });
  const calls = await consoleErrors(async () => {
    const error = await assertRejects(() =>
      network.run(async () => {
        await using socket = bind("udp://127.0.0.1:0", { carrier: network });
        await socket.receive({ signal: AbortSignal.timeout(20) });
      }), DOMException);
    assertEquals(error.name, "TimeoutError");
  });
  assertEquals(calls.length, 1);
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

Deno.test("withServer fails with the error that the handler threw", async () => {
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

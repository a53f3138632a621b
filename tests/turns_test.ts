import { assert, assertEquals, assertRejects } from "@std/assert";
import { collect } from "../lib/collect.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { calledBack, turn as libraryTurn } from "../lib/turns.ts";
import {
  bind,
  type Carrier,
  connect,
  type Datagram,
  DatagramSocket,
  serve,
} from "../mod.ts";
import { cut, FakeBatchCarrier } from "./support/fake_batches.ts";
import { FakeCarrier, sourceOf } from "./support/fakes.ts";
import {
  LOCAL,
  LOOPBACK,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

// How long a loop may run before a timer fires, at most: 2 ms are promised, and
// other processes may use the machine.
const PATIENCE_MS = SOON.timeoutMs;

/** Runs a loop until a timer of 20 ms has ended it, which only a turn can do. */
async function untilTimer(
  loop: (isOver: () => boolean) => Promise<unknown>,
): Promise<void> {
  const start = performance.now();
  let isOver = false;
  const timer = setTimeout(() => isOver = true, 20);
  const watch = () => {
    // Otherwise the test would hang instead of failing.
    if (performance.now() - start > PATIENCE_MS) throw new Error("no turn");
    return isOver;
  };
  try {
    await loop(watch);
    assert(isOver);
  } finally {
    clearTimeout(timer);
  }
}

const ENDLESS: [what: string, carrier: () => Carrier, to: unknown][] = [
  ["that are sent at once", () => new FakeCarrier({}), PEER],
  ["to an invalid address", () => new FakeCarrier({}), "nowhere"],
  ["to an address of another scheme", () => new FakeCarrier({}), "tcp://a:1"],
  [
    "that the carrier refuses at once",
    () =>
      Object.assign(new FakeCarrier({}), {
        send: () => Promise.reject(new Error("no")),
      }),
    PEER,
  ],
  [
    "for which the carrier throws",
    () =>
      Object.assign(new FakeCarrier({}), {
        send() {
          throw new Error("no");
        },
      }),
    PEER,
  ],
  ["in batches that are sent at once", () => new FakeBatchCarrier(), PEER],
  [
    "in batches that the carrier refuses at once",
    () =>
      Object.assign(new FakeBatchCarrier(), {
        sendBatch: () => ({ sent: 0, error: new Error("no") }),
      }),
    PEER,
  ],
  ["in batches, to an invalid address", () => new FakeBatchCarrier(), "x"],
  ["in batches, to a name", () => new FakeBatchCarrier(), "udp://localhost:1"],
];

for (const [what, carrier, to] of ENDLESS) {
  const endless = function* (isOver: () => boolean = () => false) {
    while (!isOver()) yield { data: "x", to: to as string };
  };
  const endlessAsync = async function* (isOver: () => boolean) {
    while (!isOver()) yield { data: "x", to: to as string };
  };

  Deno.test(`timers run during a sendMany of messages ${what}`, async () => {
    await using socket = new DatagramSocket(carrier());
    await untilTimer((isOver) =>
      socket.sendMany(endless(isOver)).catch((error) => {
        assert(error instanceof AggregateError, `${error}`);
      })
    );
  });

  Deno.test(`timers run during a sendMany of an async iterable: messages ${what}`, async () => {
    await using socket = new DatagramSocket(carrier());
    await untilTimer((isOver) =>
      socket.sendMany(endlessAsync(isOver)).catch((error) => {
        assert(error instanceof AggregateError, `${error}`);
      })
    );
  });

  Deno.test(`timeoutMs and signal end a sendMany of messages ${what}`, async () => {
    await using socket = new DatagramSocket(carrier());
    await assertRejects(
      () => socket.sendMany(endless(), { timeoutMs: 20 }),
      Deno.errors.TimedOut,
    );
    const signal = AbortSignal.timeout(20);
    const reason = await socket.sendMany(endless(), { signal })
      .catch((reason) => reason);
    assert(reason === signal.reason);
    // Whatever was read is counted; what the carrier has got settles first.
    while (socket.stats.sending > 0) await turn();
  });
}

Deno.test("on the simulated network timeoutMs ends an endless sendMany, each time at the same message", async () => {
  const sent = async (): Promise<number> => {
    const network = simulateNetwork();
    return await network.run(async () => {
      await using client = await connect("udp://10.0.0.1:9", {
        carrier: network,
      });
      const endless = function* () {
        for (;;) yield "x";
      };
      await assertRejects(
        () => client.sendMany(endless(), { timeoutMs: 100 }),
        Deno.errors.TimedOut,
      );
      assertEquals(network.clock.now(), 100);
      return client.stats.sent;
    });
  };
  assertEquals(await sent(), await sent());
});

/** A carrier from which datagrams can be received without end, at once. */
function bottomless(): Carrier {
  return {
    addr: { ...LOCAL },
    receive: (buffer = new Uint8Array(9)) => {
      buffer[0] = 1;
      const data = buffer.subarray(0, 1) as Uint8Array<ArrayBuffer>;
      return Promise.resolve([data, { ...PEER }]);
    },
    send: (data) => Promise.resolve(data.length),
    close() {},
  };
}

/** The same, in batches of 16,384. */
function bottomlessBatches(): Carrier {
  return {
    ...bottomless(),
    receiveBatch: () =>
      Promise.resolve(
        Array.from({ length: 256 }, () => cut(new Uint8Array(64), 1)),
      ),
  };
}

const FAILING: Carrier = {
  ...bottomless(),
  receive: () => Promise.reject(new Deno.errors.NetworkUnreachable("no")),
};
const RESET: Carrier = {
  ...bottomless(),
  receive: () => Promise.reject(new Deno.errors.ConnectionReset("gone")),
};

/** Takes 0.1 ms. */
function work(): void {
  for (const end = performance.now() + 0.1; performance.now() < end;);
}

for (
  const [how, carrier] of [
    ["one by one", bottomless],
    ["in batches", bottomlessBatches],
  ] as const
) {
  const socketOf = () => new DatagramSocket(carrier());
  const LOOPS: Record<
    string,
    (socket: DatagramSocket, isOver: () => boolean) => Promise<void>
  > = {
    async "for await"(socket, isOver) {
      for await (const _ of socket) {
        work();
        if (isOver()) return;
      }
    },
    async receive(socket, isOver) {
      while (!isOver()) {
        await socket.receive();
        work();
      }
    },
    async "receive with limits"(socket, isOver) {
      while (!isOver()) {
        await socket.receive({ timeoutMs: 1000 });
        work();
      }
    },
    async tryReceive(socket, isOver) {
      while (!isOver()) {
        await socket.tryReceive();
        work();
      }
    },
    async batches(socket, isOver) {
      for await (const batch of socket.batches({ max: 8 })) {
        batch.forEach(work);
        if (isOver()) return;
      }
    },
    async "batches that reuse memory"(socket, isOver) {
      for await (const _ of socket.batches({ max: 8, reuse: true })) {
        work();
        if (isOver()) return;
      }
    },
    async readable(socket, isOver) {
      for await (const _ of socket.readable) {
        work();
        if (isOver()) return;
      }
    },
    async "a match that takes none"(socket, isOver) {
      const client = await connect(PEER, {
        carrier: sourceOf(carrier()),
      });
      await client.request("?", {
        timeoutMs: Infinity,
        match() {
          work();
          return isOver();
        },
      });
      client.close();
      socket.close();
    },
  };
  for (const [name, loop] of Object.entries(LOOPS)) {
    Deno.test(`${how}: timers run during ${name}`, async () => {
      await using socket = socketOf();
      await untilTimer((isOver) => loop(socket, isOver));
    });
  }

  for (const maxConcurrent of [1, 1024, Infinity]) {
    Deno.test(`${how}: timers run while ${maxConcurrent} handlers serve`, async () => {
      await untilTimer(async (isOver) => {
        const server = serve(LOOPBACK, () => {
          work();
          if (isOver()) server.shutdown();
        }, { carrier: sourceOf(carrier()), maxConcurrent });
        await server.finished;
      });
    });
  }

  Deno.test(`${how}: timers run while a collector receives and answers`, async () => {
    await untilTimer(async (isOver) => {
      await using socket = socketOf();
      const collector = collect(socket, {
        answer() {
          work();
          if (isOver()) collector.stop();
          return "ok";
        },
      });
      await collector.finished;
    });
  });
}

Deno.test("timers run while every receive fails at once", async () => {
  await using socket = new DatagramSocket(FAILING);
  await untilTimer(async (isOver) => {
    while (!isOver()) await socket.receive().catch(() => {});
  });
});

Deno.test("timers run while every receive reports an unreachable peer", async () => {
  await using socket = new DatagramSocket(RESET);
  await untilTimer(async (isOver) => {
    const waiting = socket.receive().catch(() => {});
    while (!isOver()) await new Promise((go) => setTimeout(go, 1));
    socket.close();
    await waiting;
  });
  assert(socket.stats.unreachable > 0);
});

Deno.test("other sockets receive while a loop runs without waiting", async () => {
  await using other = bind(LOOPBACK);
  await using sender = await connect(other.addr);
  await using busy = new DatagramSocket(bottomless());
  let got: Datagram | undefined;
  const receiving = other.receive().then((datagram) => got = datagram);
  const start = performance.now();
  await sender.send("hello");
  for await (const _ of busy) {
    work();
    if (got !== undefined) break;
    assert(performance.now() - start < PATIENCE_MS, "never polled");
  }
  assertEquals((await receiving).text(), "hello");
});

Deno.test("datagrams that have arrived are in time for a receive, although a turn is due", async () => {
  const carrier = new FakeBatchCarrier();
  await using socket = new DatagramSocket(carrier);
  carrier.deliver(cut(new Uint8Array(4096), 1));
  await socket.receive();
  for (let n = 1; n < 4096; n++) {
    if (n % 64 === 0) { for (let i = 0; i < 30; i++) work(); }
    await socket.receive({ timeoutMs: 0 });
  }
  assertEquals(socket.stats.received, 4096);
});

Deno.test("turns keep the order, also with several receivers", async () => {
  const carrier = new FakeBatchCarrier();
  await using socket = new DatagramSocket(carrier);
  const got: number[] = [];
  const receiver = async (from: Deno.NetAddr) => {
    while (got.length < 2000) {
      const { data } = await socket.receive();
      got.push(data[0]! * 256 + data[1]!);
      work();
      if (from === STRANGER) await undefined;
    }
    if (got.length < 2002) socket.close();
  };
  const receiving = [PEER, STRANGER].map((from) =>
    receiver(from).catch(() => {})
  );
  for (let from = 0; from < 2000; from += 500) {
    const bytes = new Uint8Array(1000);
    for (let i = 0; i < 500; i++) {
      new DataView(bytes.buffer).setUint16(2 * i, from + i);
    }
    carrier.deliver(cut(bytes, 2));
  }
  await Promise.all(receiving);
  assertEquals(got, Array.from({ length: 2000 }, (_, i) => i));
});

Deno.test("a turn that cannot come is given up while the runtime brings more", async () => {
  let isOver = false;
  libraryTurn(() => isOver = true);
  const deadline = performance.now() + PATIENCE_MS;
  // The event loop cannot turn meanwhile.
  while (!isOver && performance.now() < deadline) calledBack();
  assert(isOver);
  await turn();
});

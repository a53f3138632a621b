/** Rules of the simulated network: what happens to single datagrams. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, InvalidAddressError } from "../mod.ts";
import {
  type Rule,
  type SimulatedNetwork,
  simulateNetwork,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";

/** Sends numbers, and returns those that arrived, with their times. */
async function pass(
  network: SimulatedNetwork,
  count: number,
): Promise<[string, number][]> {
  const came: [string, number][] = [];
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 1; n <= count; n++) await client.send(`${n}`);
      for (;;) {
        const datagram = await socket.receive({ timeoutMs: 10_000 })
          .catch(() => undefined);
        if (datagram === undefined) return;
        came.push([datagram.text(), network.clock.now()]);
      }
    }, { carrier: network })
  );
  return came;
}

async function texts(network: SimulatedNetwork, count: number) {
  return (await pass(network, count)).map(([text]) => text).join(" ");
}

/** Every datagram, and every copy, had one fate. */
function assertAddsUp({ stats, trace }: SimulatedNetwork): void {
  const { sent, duplicated, corrupted, reordered, ruled, ...fates } = stats;
  const sum = Object.values(fates).reduce((a, b) => a + b);
  assertEquals(sum, sent + duplicated, JSON.stringify(stats));
  assert(Math.max(corrupted, reordered, ruled) <= stats.delivered);
  const delivered = trace.filter(({ fate }) => fate === "delivered");
  assertEquals(delivered.filter(({ ruled }) => ruled).length, ruled);
  const dropped = trace.filter(({ fate }) => fate === "dropped");
  assertEquals(dropped.length, stats.dropped);
  assert(dropped.every(({ ruled }) => ruled));
}

Deno.test("exactly the second reply is lost, and the client asks again", async () => {
  const network = simulateNetwork();
  const second: Rule = (_, n) => n === 2 ? "drop" : undefined;
  using _ = network.rule(second, { from: "127.0.0.1:53" });
  const address = "udp://127.0.0.1:53";
  await network.run(() =>
    withServer(({ data }) => data, async (client) => {
      for (const text of ["one", "two", "three"]) {
        const reply = await client.request(text, { timeoutMs: 9, retries: 1 });
        assertEquals(reply.text(), text);
      }
    }, { carrier: network, address })
  );
  const replies = network.trace.filter(({ from }) => from === address);
  assertEquals(replies.map(({ fate, ruled }) => [fate, ruled]), [
    ["delivered", false],
    ["dropped", true],
    ["delivered", false],
    ["delivered", false],
  ]);
  assertEquals(network.stats.dropped, 1);
  assertAddsUp(network);
});

const VERDICTS: [ReturnType<Rule>, [string, number][]][] = [
  [undefined, [["1", 0], ["2", 0], ["3", 0]]],
  ["drop", [["1", 0], ["3", 0]]],
  ["duplicate", [["1", 0], ["2", 0], ["2", 0], ["3", 0]]],
  [{ delayMs: 50 }, [["1", 0], ["3", 0], ["2", 50]]],
  [{ delayMs: 0 }, [["1", 0], ["2", 0], ["3", 0]]],
  [{ data: "other" }, [["1", 0], ["other", 0], ["3", 0]]],
  [{ data: new Uint8Array() }, [["1", 0], ["", 0], ["3", 0]]],
  [{ delayMs: 9, data: "b" }, [["1", 0], ["3", 0], ["b", 9]]],
];
for (const [verdict, came] of VERDICTS) {
  Deno.test(`a rule decides ${JSON.stringify(verdict) ?? "nothing"} about one datagram only`, async () => {
    const network = simulateNetwork();
    network.rule((_, n) => n === 2 ? verdict : undefined);
    assertEquals(await pass(network, 3), came);
    const isRuled = verdict !== undefined;
    const { dropped, ruled, duplicated } = network.stats;
    assertEquals(dropped, Number(verdict === "drop"));
    const copies = Number(verdict === "duplicate");
    assertEquals([duplicated, ruled], [
      copies,
      isRuled && !dropped ? 1 + copies : 0,
    ]);
    assertAddsUp(network);
  });
}

Deno.test("the first rule that decides is the last that is asked, and n counts what it saw", async () => {
  const network = simulateNetwork();
  const seen: string[] = [];
  const rule =
    (name: string, decides: (n: number) => boolean): Rule => (d, n) => {
      seen.push(`${name}${n}:${d.text()}`);
      return decides(n) ? "drop" : undefined;
    };
  network.rule(rule("a", (n) => n === 2));
  network.rule(rule("b", (n) => n === 2));
  assertEquals(await texts(network, 4), "1 4");
  assertEquals(seen.join(" "), "a1:1 b1:1 a2:2 a3:3 b2:3 a4:4 b3:4");
});

Deno.test("a rule that is disposed is not asked any more", async () => {
  const network = simulateNetwork();
  const rule = network.rule(() => "drop");
  {
    using _ = network.rule(() => "duplicate");
  }
  assertEquals(await texts(network, 2), "");
  rule[Symbol.dispose]();
  rule[Symbol.dispose]();
  assertEquals(await texts(network, 2), "1 2");
});

Deno.test("a rule is asked about its direction only, however that is spelled", async () => {
  const network = simulateNetwork();
  const asked: string[] = [];
  for (
    const direction of [
      { from: "10.0.0.2" },
      { to: "udp://10.0.0.1:53" },
      { from: "::ffff:10.0.0.2", to: "10.0.0.1" },
      { from: "10.0.0.1" },
      { to: "10.0.0.1:54" },
      {},
      undefined,
    ]
  ) {
    network.rule(() => {
      asked.push(JSON.stringify(direction) ?? "all");
    }, direction);
  }
  await network.run(async () => {
    await using server = bind("udp://10.0.0.1:53", { carrier: network });
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    await client.send("x");
    await server.receive();
  });
  assertEquals(asked, [
    '{"from":"10.0.0.2"}',
    '{"to":"udp://10.0.0.1:53"}',
    '{"from":"::ffff:10.0.0.2","to":"10.0.0.1"}',
    "{}",
    "all",
  ]);
});

Deno.test("what a rule is given are copies, and what it returns is copied", async () => {
  const network = simulateNetwork();
  const data = new Uint8Array([65]);
  network.rule((datagram) => {
    datagram.data[0] = 88;
    datagram.from.port = 9;
    datagram.to.hostname = "10.9.9.9";
  });
  network.rule(({ data: given, from, to }, n) => {
    assertEquals([given[0], from.port > 9, to.hostname], [
      48 + n,
      true,
      "127.0.0.1",
    ]);
    return n === 2 ? { data } : undefined;
  });
  network.set({ delayMs: { min: 5, max: 5 } });
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("1");
      await client.send("2");
      data[0] = 66;
      assertEquals((await socket.receive()).text(), "1");
      assertEquals((await socket.receive()).text(), "A");
    }, { carrier: network })
  );
});

Deno.test("the faults apply to what a rule has decided, and to nothing that it dropped", async () => {
  const network = simulateNetwork({ mtu: 3, delayMs: { min: 10, max: 10 } });
  network.rule((_, n) =>
    [{ data: "long" }, { delayMs: 5 }, "drop"][n - 1] as ReturnType<Rule>
  );
  assertEquals(await pass(network, 4), [["4", 10], ["2", 15]]);
  assertEquals(network.stats.overMtu, 1);
  assertAddsUp(network);
  const lossy = simulateNetwork({ loss: 1 });
  lossy.rule((_, n) => n === 1 ? "duplicate" : "drop");
  assertEquals(await pass(lossy, 3), []);
  assertEquals([lossy.stats.lost, lossy.stats.dropped], [2, 2]);
  assertAddsUp(lossy);
});

Deno.test("a rule does not change what the faults decide about other datagrams", async () => {
  const faults = { seed: 7, loss: 0.3, duplicate: 0.3, corrupt: 0.2 };
  const fates = async (rule: Rule) => {
    const network = simulateNetwork(faults);
    network.rule(rule);
    await pass(network, 100);
    return network.trace.filter(({ ruled }) => !ruled)
      .map(({ data, fate }) => `${fate} ${data}`);
  };
  const without = await fates(() => undefined);
  for (const verdict of ["drop", "duplicate", { data: "9999" }] as const) {
    const ruled = await fates((_, n) => n === 50 ? verdict : undefined);
    assert(ruled.length < without.length);
    // Without the one or two of datagram 50.
    const left = without.filter((fate) => !ruled.includes(fate));
    assert(left.length <= 2, left.join());
  }
});

Deno.test("a rule that throws makes the send reject with that, and nothing is sent", async () => {
  const network = simulateNetwork();
  const mine = new RangeError("mine");
  network.rule((_, n) => {
    if (n === 2) throw mine;
  });
  await network.run(() =>
    withSockets(async (socket, client) => {
      await client.send("1");
      const error = await assertRejects(() => client.send("2"), RangeError);
      assertEquals(error.cause, mine);
      assertEquals(
        error.message,
        "Cannot send 1 byte from udp://127.0.0.1:49153 to udp://127.0.0.1:49152: mine",
      );
      await client.send("3");
      assertEquals((await socket.receive()).text(), "1");
      assertEquals((await socket.receive()).text(), "3");
      assertEquals(client.stats.sendFailed, 1);
    }, { carrier: network })
  );
  const { sent, delivered } = network.stats;
  assertEquals([sent, delivered], [2, 2]);
});

const NONSENSE: [unknown, string][] = [
  ["lose", 'given "lose"'],
  [true, "given true"],
  [null, "given null"],
  [{}, "given an object"],
  [[], "given an array"],
  [{ delay: 5 }, "given an object"],
  [{ delayMs: 5, drop: true }, "given an object"],
  [Promise.resolve("drop"), "given a promise"],
  [{ delayMs: -1 }, "delayMs must be a finite number from 0: given -1"],
  [{ delayMs: NaN }, "delayMs must be a finite number from 0: given NaN"],
  [{ delayMs: Infinity }, "given Infinity"],
  [{ delayMs: "5" }, 'given "5"'],
  [{ data: 5 }, "data must be a string or a Uint8Array: given 5"],
  [{ data: [1] }, "given an array"],
  [{ data: new Uint8Array(65_508) }, "from 0 to 65507: given 65508"],
  [{
    get data() {
      throw new Error("a getter throws");
    },
  }, "a getter throws"],
  [
    new Proxy({}, {
      ownKeys: () => {
        throw new Error("a trap throws");
      },
    }),
    "a trap throws",
  ],
];
for (const [verdict, says] of NONSENSE) {
  Deno.test(`a verdict that is none is rejected: ${says}`, async () => {
    const network = simulateNetwork();
    network.rule(() => verdict as ReturnType<Rule>);
    await network.run(() =>
      withSockets(async (_, client) => {
        const error = await assertRejects(() => client.send("x"), Error);
        assert(error.message.includes(says), error.message);
        assert(!error.message.includes("\n"));
      }, { carrier: network })
    );
    assertEquals(network.stats.sent, 0);
  });
}

Deno.test("an async rule whose promise rejects fails its send, and nothing else", async () => {
  const network = simulateNetwork();
  const rule = () => Promise.reject(new Error("later"));
  network.rule(rule as unknown as Rule);
  await network.run(() =>
    withSockets(async (_, client) => {
      await assertRejects(() => client.send("x"), TypeError, "a promise");
    }, { carrier: network })
  );
});

Deno.test("what is no rule and what is no direction are rejected", () => {
  const network = simulateNetwork();
  for (const rule of [undefined, null, "drop", {}]) {
    assertThrows(() => network.rule(rule as unknown as Rule), TypeError);
  }
  const rule = () => "drop" as const;
  assertThrows(
    () => network.rule(rule, { form: "10.0.0.1" } as object),
    TypeError,
    'given "form"',
  );
  assertThrows(
    () => network.rule(rule, { from: "0.0.0.0" }),
    InvalidAddressError,
  );
});

Deno.test("a rule may add and remove rules, set faults, part, send and close", async () => {
  const network = simulateNetwork();
  await network.run(() =>
    withSockets(async (socket, client) => {
      const sending: Promise<void>[] = [];
      const first = network.rule((datagram) => {
        first[Symbol.dispose]();
        later[Symbol.dispose]();
        network.rule(() => {
          added++;
        });
        if (datagram.text() === "1") sending.push(client.send("from a rule"));
        network.set({ delayMs: { min: 3, max: 3 } });
      });
      const later = network.rule(() => {
        throw new Error("removed, and asked all the same");
      });
      let added = 0;
      await client.send("1");
      await Promise.all(sending);
      assertEquals((await socket.receive()).text(), "1");
      assertEquals((await socket.receive()).text(), "from a rule");
      assertEquals(added, 1);
      network.rule(() => client.close());
      await client.send("the last");
      assertEquals((await socket.receive()).text(), "the last");
    }, { carrier: network })
  );
  assertAddsUp(network);
});

Deno.test("whenever a rule is asked, the counts add up", async () => {
  const network = simulateNetwork({ loss: 0.3, duplicate: 0.3 });
  let asked = 0;
  network.rule(() => {
    assertAddsUp(network);
    assertEquals(network.stats.sent, asked++);
  });
  await pass(network, 100);
  assertEquals(asked, 100);
});

Deno.test("a rule that adds a rule each time ends, and none is asked too early", async () => {
  const network = simulateNetwork();
  let asked = 0;
  const rule = () => {
    asked++;
    network.rule(() => void asked++);
  };
  network.rule(rule);
  await pass(network, 10);
  // The first one ten times, and the n-th added one 10 - n times.
  assertEquals(asked, 10 + 45);
});

Deno.test("rules that throw each time harm only their sends, also of a sendMany", async () => {
  const network = simulateNetwork();
  network.rule(({ data }) => {
    if (data[0]! % 2 === 0) throw new Error("even");
  });
  await network.run(() =>
    withSockets(async (socket, client) => {
      const messages = Array.from(
        { length: 1000 },
        (_, n) => new Uint8Array([n % 256]),
      );
      await assertRejects(() => client.sendMany(messages), AggregateError);
      assertEquals(client.stats.sendFailed, 500);
      for (let n = 0; n < 500; n++) {
        assertEquals((await socket.receive()).data[0]! % 2, 1);
      }
    }, { carrier: network })
  );
  assertEquals(network.stats.sent, 500);
  assertAddsUp(network);
});

Deno.test("five thousand rules are asked in order, and removed again", async () => {
  const network = simulateNetwork();
  let asked = 0;
  const rules = Array.from({ length: 5000 }, (_, at) =>
    network.rule(() => {
      assertEquals(asked++ % 5000, at);
    }));
  assertEquals(await texts(network, 3), "1 2 3");
  assertEquals(asked, 15_000);
  for (const rule of rules) rule[Symbol.dispose]();
  await pass(network, 3);
  assertEquals(asked, 15_000);
});

Deno.test("a rule is asked about datagrams to a group, to nobody and across a partition", async () => {
  const network = simulateNetwork();
  const asked: string[] = [];
  network.rule(({ to }) => {
    asked.push(to.hostname);
    return "duplicate";
  });
  network.partition("127.0.0.1", "10.0.0.9");
  await network.run(async () => {
    await using socket = bind("udp://127.0.0.1:0", { carrier: network });
    for (const to of ["255.255.255.255", "239.1.1.1", "10.0.0.9", "nobody"]) {
      await socket.send("x", `udp://${to}:9`);
    }
  });
  assertEquals(asked, ["255.255.255.255", "239.1.1.1", "10.0.0.9", "nobody"]);
  await new Promise<void>((go) => void network.clock.after(1, go));
  const { unreachable, lost } = network.stats;
  assertEquals([unreachable, lost], [6, 2]);
  assertAddsUp(network);
});

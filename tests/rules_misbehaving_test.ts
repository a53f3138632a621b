/** Rules that throw, return nonsense, act on the network, or are many. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, InvalidAddressError } from "../mod.ts";
import { type Rule, simulateNetwork, withSockets } from "../lib/testing/mod.ts";
import { assertAddsUp, pass, texts } from "./support/rules.ts";

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
  Deno.test(`an invalid verdict is rejected: ${says}`, async () => {
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

Deno.test("an invalid rule and an invalid direction are rejected", () => {
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

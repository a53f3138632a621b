/** Rules of the simulated network: what happens to single datagrams. */
import { assert, assertEquals } from "@std/assert";
import { bind, connect } from "../mod.ts";
import {
  type Rule,
  simulateNetwork,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";
import { assertAddsUp, pass, texts } from "./support/rules.ts";

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

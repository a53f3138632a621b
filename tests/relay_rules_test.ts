/** Rules of a relay, and faults that change while it runs. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { bind, connect, serve } from "../mod.ts";
import { type Rule, startRelay } from "../lib/testing/mod.ts";
import { LOOPBACK, pattern, SOON, until } from "./support/helpers.ts";
import { assertAddsUp, numbers, pass, route, texts } from "./support/relays.ts";

Deno.test("exactly the second reply is lost on its way through a relay", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
  relay.rule((_, n) => n === 2 ? "drop" : undefined, "down");
  await using client = await connect(relay.addr);
  for (const text of ["one", "two", "three"]) await client.send(text);
  assertEquals((await client.receive(SOON)).text(), "one");
  assertEquals((await client.receive(SOON)).text(), "three");
  const { up, down } = relay.stats;
  assertEquals([up.dropped, down.dropped, down.forwarded], [0, 1, 2]);
  assertAddsUp(down);
});

const VERDICTS: [ReturnType<Rule>, string, number][] = [
  [undefined, "0 1 2", 0],
  ["drop", "0 2", 0],
  ["duplicate", "0 1 1 2", 2],
  [{ delayMs: 20 }, "0 2 1", 1],
  [{ data: "other" }, "0 other 2", 1],
];
for (const [verdict, came, ruled] of VERDICTS) {
  Deno.test(`a rule of a relay decides ${JSON.stringify(verdict) ?? "nothing"} about one datagram only`, async () => {
    await using path = await route();
    path.relay.rule((_, n) => n === 2 ? verdict : undefined);
    await pass(path, numbers(3));
    assertEquals(texts(path.arrived).join(" "), came);
    const { up } = path.relay.stats;
    assertEquals([up.ruled, up.forwarded], [ruled, path.arrived.length]);
    assertAddsUp(up);
  });
}

Deno.test("a relay tells a rule who sent a datagram and to which port of the server", async () => {
  // The second socket answers, as a TFTP server does.
  await using server = bind(LOOPBACK);
  await using other = bind(LOOPBACK);
  await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
  const seen: [string, number, number][] = [];
  relay.rule(({ data, from, to, ...datagram }) => {
    seen.push([new TextDecoder().decode(data), from.port, to.port]);
    data.fill(0);
    from.port = to.port = 9;
    assertEquals(datagram.truncated, false);
  });
  await using client = bind(LOOPBACK);
  await client.send("there", relay.addr);
  const { from } = await server.receive(SOON);
  await other.send("back", from);
  const reply = await client.receive(SOON);
  assertEquals(reply.text(), "back");
  await client.send("again", reply.from);
  assertEquals((await other.receive(SOON)).text(), "again");
  assertEquals(seen, [
    ["there", client.addr.port, server.addr.port],
    ["back", other.addr.port, client.addr.port],
    ["again", client.addr.port, other.addr.port],
  ]);
});

for (
  const [what, rule, says] of [
    ["throws", () => {
      throw new Error("mine");
    }, "mine"],
    ["returns nonsense", () => "lose", 'given "lose"'],
    ["returns a promise", () => Promise.reject("later"), "given a promise"],
  ] as [string, Rule, string][]
) {
  Deno.test(`a rule of a relay that ${what} is reported each time, and everything passes`, async () => {
    const errors: unknown[] = [];
    await using path = await route({ onError: (error) => errors.push(error) });
    path.relay.rule(rule);
    await pass(path, numbers(200));
    assertEquals(texts(path.arrived), numbers(200));
    assertEquals(errors.length, 200);
    assert(errors.every((error) => (error as Error).message.includes(says)));
    assertEquals(path.relay.stats.up.ruled, 0);
  });
}

Deno.test("what is no rule and what is no direction of a relay are rejected", async () => {
  await using path = await route();
  const rule = (() => "drop") as Rule;
  assertThrows(() => path.relay.rule("drop" as unknown as Rule), TypeError);
  assertThrows(
    () => path.relay.rule(rule, "sideways" as "up"),
    RangeError,
    'direction must be "up" or "down": given "sideways"',
  );
  await pass(path, ["x"]);
});

Deno.test("a rule may close its relay, and everything is counted", async () => {
  for (const verdict of [undefined, { delayMs: 3_600_000 }] as const) {
    const path = await route();
    const closed = Promise.withResolvers<void>();
    path.relay.rule(() => {
      path.relay.close().then(closed.resolve, closed.reject);
      return verdict;
    });
    for (const n of numbers(5)) await path.client.send(n);
    await closed.promise;
    await path[Symbol.asyncDispose]();
    const { up } = path.relay.stats;
    assertAddsUp(up);
    assertEquals(up.inFlight, 0);
  }
});

Deno.test("a rule may add and remove rules and set faults of its relay", async () => {
  await using path = await route();
  const { relay } = path;
  const first = relay.rule(() => {
    first[Symbol.dispose]();
    relay.set({ mtu: 1 });
    relay.rule((_, n) => n === 2 ? "drop" : undefined);
  });
  await pass(path, ["0", "1", "2", "3", "44"]);
  assertEquals(texts(path.arrived), ["0", "1", "3"]);
  assertEquals([relay.stats.up.overMtu, relay.stats.up.dropped], [1, 1]);
});

Deno.test("whenever a rule of a relay is asked, the counts add up", async () => {
  const delayMs = { min: 0, max: 2 };
  await using path = await route({ duplicate: 0.3, delayMs });
  let asked = 0;
  path.relay.rule((_, n) => {
    const { up } = path.relay.stats;
    assertAddsUp(up);
    assertEquals(up.received, asked++);
    return n % 3 === 0 ? "duplicate" : undefined;
  });
  await pass(path, numbers(300));
  assertEquals(asked, 300);
  assertEquals(path.relay.stats.up.ruled > 0, true);
});

Deno.test("faults that change a thousand times apply to what arrives afterwards", async () => {
  await using path = await route();
  let expected = 0;
  for (let n = 0; n < 1000; n++) {
    path.relay.set({ loss: n % 2 }, n % 3 === 0 ? "up" : undefined);
    await path.client.send(pattern(10));
    await until(() => path.relay.stats.up.received === n + 1);
    if (n % 2 === 0) expected++;
  }
  const { up } = path.relay.stats;
  assertEquals([up.lost, up.received], [1000 - expected, 1000]);
  await until(() => path.arrived.length === expected);
  assertAddsUp(path.relay.stats.up);
});

Deno.test("a relay goes on while its server is gone, and after that is back", async () => {
  await using client = bind(LOOPBACK);
  const port = client.addr.port;
  let server = bind(LOOPBACK);
  const { addr } = server;
  await using relay = startRelay({ listen: LOOPBACK, to: addr });
  const exchange = async () => {
    await client.send("ping", relay.addr);
    const { data, from } = await server.receive(SOON);
    await server.send(data, from);
    assertEquals((await client.receive(SOON)).text(), "ping");
  };
  await exchange();
  await server[Symbol.asyncDispose]();
  for (let n = 0; n < 20; n++) await client.send("nobody", relay.addr);
  await until(() => relay.stats.up.received === 21);
  server = bind(addr);
  await exchange();
  await server[Symbol.asyncDispose]();
  assertEquals([client.addr.port, relay.stats.sessions], [port, 1]);
  assertAddsUp(relay.stats.up);
  assertEquals(relay.stats.up.forwarded + relay.stats.up.notSent, 22);
});

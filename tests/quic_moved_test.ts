import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type DatagramSocket } from "../mod.ts";
import { SOON } from "./support/helpers.ts";
import { Nat } from "./support/middle.ts";
import { quicClient, quicServer, until } from "./support/quics.ts";

/** Echoes, and notes the ports that messages come from. */
function echo(
  server: DatagramSocket,
): { ports: number[]; done: Promise<void> } {
  const ports: number[] = [];
  const done = (async () => {
    for await (const { data, from } of server) {
      ports.push(from.port);
      await server.send(data, from);
    }
  })();
  return { ports, done };
}

for (const reliable of [false, true]) {
  const kind = reliable ? "reliable" : "datagrams";
  Deno.test(`${kind}: a client keeps its connection when a NAT gives it another port`, async () => {
    const { server, source } = quicServer({ reliable });
    const { ports, done } = echo(server);
    {
      await using nat = new Nat(server.addr);
      const [x, y] = [await nat.open(), await nat.open()] as const;
      const home = nat.inside(x);
      const carrier = quicClient();
      await using a = await connect(home.address, { carrier });
      assertEquals((await a.request("a1", SOON)).text(), "a1");
      await home.move(y);
      // It is answered at its last address, and at its new one.
      do {
        const { length } = ports;
        assertEquals((await a.request("a2", SOON)).text(), "a2");
        assertEquals(ports.length, length + 1);
      } while (ports.at(-1) !== nat.portOf(y));
      await using b = await connect(nat.inside(x).address, { carrier });
      assertEquals((await b.request("b1", SOON)).text(), "b1");
      assertEquals(ports.at(-1), nat.portOf(x));
      for (const [client, at] of [[a, y], [b, x], [a, y]] as const) {
        assertEquals((await client.request("again", SOON)).text(), "again");
        assertEquals(ports.at(-1), nat.portOf(at));
      }
      assertEquals(source.stats.peers, 2);
    }
    await server[Symbol.asyncDispose]();
    await done;
  });
}

Deno.test("a peer that has vanished is removed", async () => {
  const { server, source } = quicServer({ idleMs: 2000 });
  await using _ = server;
  await using nat = new Nat(server.addr);
  const home = nat.inside(await nat.open());
  const client = await connect(home.address, { carrier: quicClient() });
  await client.send("x");
  await server.receive(SOON);
  home.cut();
  await until(() => source.stats.peers === 0);
  await assertRejects(() => client.receive(SOON), Deno.errors.ConnectionReset);
  client.close();
});

for (
  const [who, mine, theirs] of [
    ["server", { idleMs: 2000 }, {}],
    ["client", {}, { idleMs: 2000 }],
  ] as const
) {
  Deno.test(`a connection stays although the ${who}'s idleMs is below the other's keepAliveMs`, async () => {
    const { server, source } = quicServer(mine);
    await using _ = server;
    await using client = await connect(server.addr, {
      carrier: quicClient(theirs),
    });
    await assertRejects(
      () => client.receive({ timeoutMs: 3000 }),
      Deno.errors.TimedOut,
    );
    assertEquals(source.stats.peers, 1);
    await client.send("still here");
    assertEquals((await server.receive(SOON)).text(), "still here");
  });
}

Deno.test("connect times out with one line if idleMs is shorter than handshakeMs", async () => {
  await using silent = new Nat({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 9,
  });
  const home = silent.inside(await silent.open());
  home.cut();
  const error = await assertRejects(
    () => connect(home.address, { carrier: quicClient({ idleMs: 50 }) }),
    Deno.errors.TimedOut,
  );
  assertMatch(
    error.message,
    /: no answer within \d+ ms: nothing listens there, or UDP does not get through$/,
  );
});

import { assert, assertEquals } from "@std/assert";
import {
  bind,
  connect,
  type Datagram,
  type DatagramSocket,
  serve,
} from "../mod.ts";
import { type RelayOptions, startRelay } from "../lib/testing/mod.ts";
import { LOOPBACK, SOON, until } from "./support/helpers.ts";
import { assertAddsUp } from "./support/relays.ts";

/**
 * A server that answers each client's first datagram from a new port, and serves
 * it there from then on, as TFTP does; and a relay to it.
 */
function transferServer(options: Partial<RelayOptions> = {}) {
  const workers: DatagramSocket[] = [];
  const serving: Promise<void>[] = [];
  const echo = async (worker: DatagramSocket) => {
    for await (const { data, from } of worker) {
      await worker.send(`block ${new TextDecoder().decode(data)}`, from);
    }
  };
  const server = serve(LOOPBACK, async ({ data, from }) => {
    const worker = bind(LOOPBACK);
    workers.push(worker);
    await worker.send(`start ${new TextDecoder().decode(data)}`, from);
    serving.push(echo(worker));
  });
  const relay = startRelay({ listen: LOOPBACK, to: server.addr, ...options });
  return {
    relay,
    workers,
    async [Symbol.asyncDispose]() {
      await relay.close();
      await server.shutdown();
      for (const worker of workers) await worker[Symbol.asyncDispose]();
      await Promise.all(serving);
    },
  };
}

Deno.test("a reply from another port of the server comes from another port of the relay", async () => {
  await using path = transferServer();
  await using client = bind(LOOPBACK);
  await client.send("file", path.relay.addr);
  const { from } = await client.receive(SOON);
  assertEquals(from.hostname, "127.0.0.1");
  assert(from.port !== path.relay.addr.port);
});

Deno.test("a transfer from another port of the server passes in both directions", async () => {
  await using path = transferServer();
  await using a = bind(LOOPBACK);
  await using b = bind(LOOPBACK);
  const clients = [a, b];
  const ports = new Set<number>();
  for (const [n, client] of clients.entries()) {
    await client.send(`${n}`, path.relay.addr);
    const start = await client.receive(SOON);
    assertEquals(start.text(), `start ${n}`);
    ports.add(start.from.port);
    for (let block = 0; block < 20; block++) {
      await client.send(`${block} of ${n}`, start.from);
      const reply = await client.receive(SOON);
      assertEquals(reply.text(), `block ${block} of ${n}`);
      assertEquals(reply.from, start.from);
    }
  }
  assertEquals(ports.size, 2);
  const { up, down, sessions, refused, strangers } = path.relay.stats;
  assertEquals([sessions, refused, strangers], [2, 0, 0]);
  assertEquals([up.forwarded, down.forwarded], [42, 42]);
});

Deno.test("a client that goes on sending to the relay's own port reaches the server's", async () => {
  await using path = transferServer();
  await using client = bind(LOOPBACK);
  for (const name of ["first", "second"]) {
    await client.send(name, path.relay.addr);
    assertEquals((await client.receive(SOON)).text(), `start ${name}`);
  }
  assertEquals(path.workers.length, 2);
});

Deno.test("the faults apply to other ports of the server too", async () => {
  await using path = transferServer({ duplicate: 1 });
  await using client = bind(LOOPBACK);
  await client.send("file", path.relay.addr);
  await until(() => path.relay.stats.down.forwarded === 4);
  path.relay.set({ loss: 1 }, "down");
  const { from } = await client.receive(SOON);
  await client.send("block", from);
  await until(() => path.relay.stats.down.lost === 4);
  for (const direction of ["up", "down"] as const) {
    assertAddsUp(path.relay.stats[direction]);
  }
});

Deno.test("a reply from one port too many of the server is refused and counted", async () => {
  await using path = transferServer({ maxSessions: 1 });
  await using client = bind(LOOPBACK);
  await client.send("first", path.relay.addr);
  const { from } = await client.receive(SOON);
  await client.send("second", path.relay.addr);
  await until(() => path.relay.stats.refused === 1);
  await client.send("still there", from);
  assertEquals((await client.receive(SOON)).text(), "block still there");
});

Deno.test("a datagram of an unknown client to another port is refused and counted", async () => {
  await using path = transferServer();
  await using client = bind(LOOPBACK);
  await client.send("file", path.relay.addr);
  const { from } = await client.receive(SOON);
  await using stranger = await connect(from);
  await stranger.send("?");
  await until(() => path.relay.stats.refused === 1);
  assertEquals(path.relay.stats.sessions, 1);
});

Deno.test("another port is closed after its silence, and by close", async () => {
  await using path = transferServer({ idleMs: 20 });
  await using client = bind(LOOPBACK);
  const ports: number[] = [];
  for (const name of ["first", "second"]) {
    let start: Datagram<Deno.NetAddr> | undefined;
    // Again, as a slow machine may forget the client before the reply is there.
    for (let n = 0; start?.text() !== `start ${name}`; n++) {
      if (n % 20 === 0) await client.send(name, path.relay.addr);
      await new Promise((go) => setTimeout(go, 10));
      start = await client.tryReceive();
    }
    const { from } = start!;
    ports.push(from.port);
    if (name === "first") await until(() => isFree(from.port));
  }
  await path.relay.close();
  for (const port of ports) assert(isFree(port), `${port}`);
});

function isFree(port: number): boolean {
  try {
    bind(`127.0.0.1:${port}`).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

Deno.test({
  name:
    "a datagram from another host to an upstream port is counted, not passed on",
  // Only Linux has all of 127.0.0.0/8 on its loopback interface.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const upstream = Promise.withResolvers<Deno.NetAddr>();
    await using server = serve(LOOPBACK, ({ from, data }) => {
      upstream.resolve(from);
      return data;
    });
    await using relay = startRelay({ listen: LOOPBACK, to: server.addr });
    await using client = await connect(relay.addr);
    await client.request("x", SOON);
    await using stranger = bind("udp://127.0.0.2:0");
    await stranger.send("psst", await upstream.promise);
    await until(() => relay.stats.strangers === 1);
    assertEquals((await client.request("y", SOON)).text(), "y");
    assertEquals(relay.stats.down.received, 2);
  },
});

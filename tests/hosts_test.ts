/** Hosts of the simulated network: crashes, restarts and clocks. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bind,
  type Clock,
  connect,
  InvalidAddressError,
  serve,
  SocketClosedError,
} from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";

const SERVER = "udp://10.0.0.1:53";

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((go) => void clock.after(ms, go));
}

/** A network with a delay of 10 ms, and two of its hosts. */
function hosts() {
  const network = simulateNetwork({ delayMs: { min: 10, max: 10 } });
  const server = network.host("10.0.0.1");
  const client = network.host("10.0.0.2");
  return { network, server, client };
}

Deno.test("a crash ends pending and later calls of the host's sockets as closed", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    await using one = bind(SERVER, { carrier: network });
    await using two = bind("udp://10.0.0.1:54", { carrier: server });
    await using peer = bind("udp://10.0.0.2:1", { carrier: client });
    await using dialed = await connect(peer.addr, { carrier: server });
    const iterating = Array.fromAsync(two);
    const pending = [
      one.receive(),
      one.receive({ timeoutMs: 5000 }),
      dialed.request("x", { timeoutMs: 5000, retries: 9 }),
    ].map((promise) => assertRejects(() => promise, SocketClosedError));
    server.crash();
    assertEquals(server.isUp, false);
    assertEquals(await iterating, []);
    await Promise.all(pending);
    assertEquals(network.clock.now(), 0);
    for (const socket of [one, two]) {
      await assertRejects(() => socket.receive(), SocketClosedError);
      await assertRejects(
        () => socket.send("x", peer.addr),
        SocketClosedError,
      );
    }
    await assertRejects(() => dialed.send("x"), SocketClosedError);
    server.crash();
  });
});

Deno.test("nobody is told of a crash: the peer only hears nothing", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    const echo = serve(SERVER, ({ data }) => data, { carrier: network });
    await using peer = await connect(SERVER, { carrier: client });
    assertEquals((await peer.request("before")).text(), "before");
    server.crash();
    await assertRejects(
      () => peer.request("after", { timeoutMs: 100, retries: 2 }),
      Deno.errors.TimedOut,
    );
    await echo.finished;
  });
  const { crashed, unreachable, delivered, inFlight } = network.stats;
  assertEquals([crashed, unreachable, delivered, inFlight], [3, 0, 2, 0]);
  assertEquals(
    network.trace.filter(({ fate }) => fate === "crashed").length,
    3,
  );
});

Deno.test("while a host is down nothing can be opened on it, and then everything again", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    server.crash();
    const says = "the host 10.0.0.1 has crashed; restart it";
    for (const carrier of [network, server, client]) {
      assertThrows(
        () => bind(SERVER, { carrier }),
        Deno.errors.AddrNotAvailable,
        says,
      );
    }
    await assertRejects(
      () => connect("udp://10.0.0.2:1", { carrier: server }),
      Deno.errors.AddrNotAvailable,
      says,
    );
    server.restart();
    server.restart();
    assert(server.isUp);
    await using socket = bind(SERVER, { carrier: network });
    await using peer = await connect(socket.addr, { carrier: client });
    await peer.send("x");
    assertEquals((await socket.receive()).text(), "x");
  });
});

Deno.test("a datagram in flight during crash and restart reaches the new socket, if there is one", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    const old = bind(SERVER, { carrier: network });
    await using peer = await connect(SERVER, { carrier: client });
    await peer.send("of the life before");
    server.crash();
    server.restart();
    await using socket = bind(SERVER, { carrier: network });
    // Closing the old one has no effect on the new one at its address.
    await old[Symbol.asyncDispose]();
    assertEquals((await socket.receive()).text(), "of the life before");
    await peer.send("to nobody");
    server.crash();
    server.restart();
    await wait(network.clock, 20);
    await peer.send("to a dead host");
    server.crash();
    await wait(network.clock, 20);
  });
  const { delivered, unreachable, crashed } = network.stats;
  assertEquals([delivered, unreachable, crashed], [1, 1, 1]);
});

Deno.test("what a host has sent before its crash still arrives", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    await using socket = bind(SERVER, { carrier: network });
    await using peer = bind("udp://10.0.0.2:1", { carrier: client });
    await socket.send("the last words", peer.addr);
    server.crash();
    assertEquals((await peer.receive()).text(), "the last words");
  });
});

Deno.test("a crash in the middle of sendMany and of a run ends both, and all is counted", async () => {
  for (const how of ["sendMany", "sendRun"] as const) {
    const { network, server, client } = hosts();
    await network.run(async () => {
      await using socket = bind(SERVER, { carrier: network });
      await using peer = await connect(SERVER, { carrier: client });
      await using back = bind("udp://10.0.0.1:7", { carrier: server });
      const to = peer.addr;
      const messages = Array.from({ length: 2000 }, () => ({ data: "x", to }));
      const sending = how === "sendMany"
        ? back.sendMany(messages)
        : back.sendRun(new Uint8Array(2000), 1, to);
      const ending = assertRejects(() => sending, SocketClosedError);
      await wait(network.clock, 2);
      server.crash();
      await ending;
      await wait(network.clock, 100);
      assertEquals(socket.stats.sent, 0);
      const { sent, delivered } = network.stats;
      assert(sent > 0 && sent < 2000, `${sent}`);
      assertEquals([delivered, back.stats.sent], [sent, sent]);
    });
  }
});

Deno.test("a rule may crash the sender's host, and the receiver's", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    await using socket = bind(SERVER, { carrier: network });
    await using peer = await connect(SERVER, { carrier: client });
    network.rule(() => client.crash(), { from: "10.0.0.2" });
    await peer.send("the last words");
    await assertRejects(() => peer.send("x"), SocketClosedError);
    assertEquals((await socket.receive()).text(), "the last words");
    network.rule(() => {
      server.crash();
      return "duplicate";
    }, { from: "10.0.0.3" });
    await using third = await connect(SERVER, {
      carrier: network.host("10.0.0.3"),
    });
    await third.send("x");
    await wait(network.clock, 20);
    assertEquals(network.stats.crashed, 2);
  });
});

Deno.test("rule, partition and crash at once: each datagram has one fate", async () => {
  const { network, server, client } = hosts();
  await network.run(async () => {
    await using _ = bind(SERVER, { carrier: network });
    await using peer = await connect(SERVER, { carrier: client });
    network.rule((_, n) => (["drop", "duplicate", undefined] as const)[n % 3]);
    server.crash();
    for (let n = 1; n <= 3; n++) await peer.send(`${n}`);
    network.partition("10.0.0.1", "10.0.0.2");
    for (let n = 4; n <= 6; n++) await peer.send(`${n}`);
    await wait(network.clock, 20);
  });
  // Those of before the partition were in flight when it came.
  const { sent, duplicated, dropped, lost, crashed } = network.stats;
  assertEquals([sent, duplicated, dropped, lost, crashed], [6, 2, 2, 6, 0]);
});

Deno.test("the same host is the same object, however it is spelled", () => {
  const network = simulateNetwork();
  assert(network.host("10.0.0.1") === network.host("::ffff:10.0.0.1"));
  assert(network.host("WEB") === network.host("web"));
  assertEquals(network.host("localhost").hostname, "127.0.0.1");
  assertThrows(() => network.host("10.0.0.999"), InvalidAddressError);
});

Deno.test("a crash of the network's own host ends its sockets, and no others", async () => {
  const { network } = hosts();
  await network.run(async () => {
    await using own = bind("udp://127.0.0.1:1", { carrier: network });
    await using other = bind(SERVER, { carrier: network });
    network.host("localhost").crash();
    await assertRejects(() => own.receive(), SocketClosedError);
    await assertRejects(
      () => other.receive({ timeoutMs: 5 }),
      Deno.errors.TimedOut,
    );
  });
});

Deno.test("a host's clock is ahead or behind, and runs faster or slower", async () => {
  const network = simulateNetwork();
  const ahead = network.host("10.0.0.1", { skewMs: 5000 });
  const slow = network.host("10.0.0.2", { skewMs: -100, rate: 0.5 });
  const plain = network.host("10.0.0.3");
  const times = () =>
    [network, ahead, slow, plain].map(({ clock }) => clock.now());
  assertEquals(times(), [0, 5000, -100, 0]);
  await wait(ahead.clock, 1000);
  assertEquals(times(), [1000, 6000, 400, 1000]);
  await wait(slow.clock, 500);
  assertEquals(times(), [2000, 7000, 900, 2000]);
});

Deno.test("the timeouts of a host's sockets run on its clock, however they are bound", async () => {
  for (const [rate, took] of [[0.5, 200], [2, 50]] as const) {
    const network = simulateNetwork();
    const host = network.host("10.0.0.1", { rate, skewMs: 1e9 });
    await network.run(async () => {
      for (const carrier of [network, host]) {
        const start = network.clock.now();
        await using socket = bind(SERVER, { carrier });
        await assertRejects(
          () => socket.receive({ timeoutMs: 100 }),
          Deno.errors.TimedOut,
        );
        assertEquals(network.clock.now() - start, took);
        assert(socket.clock === host.clock);
      }
    });
  }
});

Deno.test("a clock keeps its options once it is in use, and the same ones may be given again", async () => {
  const network = simulateNetwork();
  network.host("10.0.0.1", { skewMs: 1 });
  const host = network.host("10.0.0.1", { skewMs: 5 });
  await using _ = bind(SERVER, { carrier: network });
  network.host("10.0.0.1", { skewMs: 5 });
  network.host("10.0.0.1");
  assertThrows(
    () => network.host("10.0.0.1", { skewMs: 6 }),
    Error,
    "Cannot simulate a host: the clock of 10.0.0.1 is in use; give its options " +
      "before its first socket",
  );
  assertEquals(host.clock.now(), 5);
});

for (
  const [options, says] of [
    [{ skewMs: NaN }, "skewMs must be a number from -8640000000000000 to"],
    [{ skewMs: Infinity }, "skewMs must be"],
    [{ skewMs: "5" }, 'given "5"'],
    [{ rate: 0 }, "rate must be a number from 0.1 to 10: given 0"],
    [{ rate: -1 }, "given -1"],
    [{ rate: null }, "given null"],
  ] as [object, string][]
) {
  Deno.test(`an invalid clock is rejected: ${says}`, () => {
    const network = simulateNetwork();
    assertThrows(() => network.host("10.0.0.1", options), RangeError, says);
    assertEquals(network.host("10.0.0.1").clock, network.clock);
  });
}

Deno.test("host options that are no object are rejected", () => {
  const network = simulateNetwork();
  assertThrows(() => network.host("web", 5 as unknown as object), TypeError);
  assertThrows(() => network.host("web", null as unknown as object), TypeError);
});

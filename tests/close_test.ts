import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  bind,
  type Carrier,
  connect,
  DatagramSocket,
  dgram,
  type NetAddr,
  SocketClosedError,
} from "../mod.ts";
import { fakeBound, FakeCarrier } from "./support/fakes.ts";
import {
  isPending,
  LOOPBACK,
  PEER,
  SOON,
  testBoth,
  turn,
} from "./support/helpers.ts";

testBoth("closing rejects every receive that waits", async (open) => {
  await using pair = await open();
  const controller = new AbortController();
  const receiving = [
    pair.socket.receive(),
    pair.socket.receive(SOON),
    pair.socket.receive({ signal: controller.signal }),
    pair.socket.tryReceive(),
  ];
  pair.socket.close();
  await Promise.all(receiving.map((each) =>
    assertRejects(
      () => each,
      SocketClosedError,
      `:${pair.socket.addr.port}: the socket is closed`,
    )
  ));
});

testBoth("a closed socket receives nothing", async (open) => {
  await using pair = await open();
  await pair.send("too late");
  pair.socket.close();
  await assertRejects(() => pair.socket.receive(), SocketClosedError);
  await assertRejects(() => pair.socket.tryReceive(), SocketClosedError);
  for await (const _ of pair.socket) throw new Error("a datagram came");
  const { done } = await pair.socket.readable.getReader().read();
  assertEquals(done, true);
});

testBoth("closing again, in any way, does nothing", async (open) => {
  await using pair = await open();
  pair.socket.close();
  pair.socket.close();
  pair.socket[Symbol.dispose]();
  await pair.socket[Symbol.asyncDispose]();
  await pair.socket[Symbol.asyncDispose]();
  await assertRejects(() => pair.socket.receive(), SocketClosedError);
});

testBoth("a closed socket still has its stats", async (open) => {
  await using pair = await open();
  await pair.send("a");
  await pair.socket.receive(SOON);
  pair.socket.close();
  assertEquals(pair.socket.stats.received, 1);
});

testBoth("ref and unref of a closed socket do nothing", async (open) => {
  await using pair = await open();
  pair.socket.close();
  pair.socket.unref();
  pair.socket.ref();
  assertEquals(pair.socket.stats.received, 0);
});

testBoth("aborting after the close has no effect", async (open) => {
  await using pair = await open();
  const controller = new AbortController();
  const receiving = pair.socket.receive({ signal: controller.signal });
  pair.socket.close();
  controller.abort("stop");
  await assertRejects(() => receiving, SocketClosedError);
});

Deno.test("a closed socket sends nothing", async () => {
  await using peer = bind(LOOPBACK);
  const socket = bind(LOOPBACK);
  const client = await connect(peer.addr);
  socket.close();
  client.close();
  const error = await assertRejects(
    () => socket.send("a", peer.addr),
    SocketClosedError,
  );
  assertInstanceOf(error, Deno.errors.BadResource);
  await assertRejects(() => client.send("b"), SocketClosedError);
  assertEquals(await peer.tryReceive(), undefined);
  assertEquals(socket.stats.sendFailed, 1);
  assertEquals(client.stats.sendFailed, 1);
});

Deno.test("the port is free right after await using, even if a receive was pending", async () => {
  const { addr } = (() => {
    using socket = bind(LOOPBACK);
    return socket;
  })();
  for (let i = 0; i < 100; i++) {
    await using socket = bind(addr);
    const receiving = socket.receive().catch((error) => error.name);
    if (i % 2 === 0) socket.close();
    else await turn();
    receiving.then((name) => assertEquals(name, "SocketClosedError"));
  }
});

Deno.test("the port is free after await using if a receive had given up", async () => {
  await using peer = bind(LOOPBACK);
  let { addr } = peer;
  addr = { ...addr, port: 0 };
  for (let i = 0; i < 50; i++) {
    await using client = bind(addr);
    addr = client.addr;
    await assertRejects(
      () => client.receive({ timeoutMs: 0 }),
      Deno.errors.TimedOut,
    );
    assertEquals(await client.tryReceive(), undefined);
  }
});

Deno.test("using closes the socket", async () => {
  const carrier = new FakeCarrier({});
  {
    using socket = new DatagramSocket(carrier);
    await socket.send("a", PEER);
  }
  assertEquals(carrier.calls, ["close"]);
  {
    await using socket = new DatagramSocket(carrier);
    await socket.send("b", PEER);
  }
  assertEquals(carrier.calls, ["close", "close"]);
});

Deno.test("closing a socket twice closes its carrier once", async () => {
  const { carrier, socket } = fakeBound();
  socket.close();
  socket.close();
  await socket[Symbol.asyncDispose]();
  assertEquals(carrier.calls, ["close"]);
});

Deno.test("closing counts the datagrams that were not received", async () => {
  const { carrier, socket } = fakeBound();
  const controller = new AbortController();
  const receiving = socket.receive({ signal: controller.signal });
  controller.abort();
  await assertRejects(() => receiving, DOMException);
  carrier.deliver("a");
  await turn();
  assertEquals(socket.stats.waiting, 1);
  socket.close();
  const { waiting, dropped } = socket.stats;
  assertEquals([waiting, dropped["closed"]], [0, 1]);
});

Deno.test("a datagram that arrives after the close is counted", async () => {
  class Late extends FakeCarrier {
    override close() {}
  }
  const carrier = new Late({});
  const socket = new DatagramSocket(carrier);
  const receiving = socket.receive();
  socket.close();
  await assertRejects(() => receiving, SocketClosedError);
  const disposed = socket[Symbol.asyncDispose]();
  assertEquals(await isPending(disposed), true);
  carrier.deliver("late");
  await disposed;
  assertEquals(socket.stats.dropped["closed"], 1);
});

Deno.test("await using waits until the carrier's pending receive has settled", async () => {
  class Late extends FakeCarrier {
    override close() {}
  }
  const carrier = new Late({});
  const socket = new DatagramSocket(carrier);
  const receiving = socket.receive();
  const disposed = socket[Symbol.asyncDispose]();
  await assertRejects(() => receiving, SocketClosedError);
  assertEquals(await isPending(disposed), true);
  carrier.fail(new Error("whatever"));
  await disposed;
});

Deno.test("await using calls the carrier's end, and waits for it", async () => {
  const gate = Promise.withResolvers<void>();
  const carrier = Object.assign(new FakeCarrier({}), {
    end: () => gate.promise,
  });
  const socket = new DatagramSocket(carrier);
  const disposed = socket[Symbol.asyncDispose]();
  const again = socket[Symbol.asyncDispose]();
  await assertRejects(() => socket.receive(), SocketClosedError);
  assertEquals(await isPending(disposed), true);
  assertEquals(await isPending(again), true);
  gate.resolve();
  await disposed;
  await again;
  assertEquals(carrier.calls, []);
});

Deno.test("close does not call the carrier's end", () => {
  const carrier = Object.assign(new FakeCarrier({}), {
    end: () => Promise.reject(new Error("ended")),
  });
  new DatagramSocket(carrier).close();
  assertEquals(carrier.calls, ["close"]);
});

Deno.test("an end that rejects is reported, and the socket is closed", async () => {
  const cause = new Deno.errors.TimedOut("cannot flush");
  const carrier = Object.assign(new FakeCarrier({}), {
    end: () => Promise.reject(cause),
  });
  const socket = new DatagramSocket(carrier);
  const error = await assertRejects(
    () => socket[Symbol.asyncDispose](),
    Deno.errors.TimedOut,
  );
  assertEquals(
    error.message,
    "Cannot close udp://127.0.0.1:62000: cannot flush",
  );
  await assertRejects(() => socket.receive(), SocketClosedError);
});

Deno.test("a close that throws is reported once, and the socket is closed", async () => {
  class Stuck extends FakeCarrier {
    override close() {
      super.close();
      throw new Error("stuck");
    }
  }
  const carrier = new Stuck({});
  const socket = new DatagramSocket(carrier);
  const receiving = socket.receive();
  const error = assertThrows(() => socket.close(), Error);
  assertEquals(error.message, "Cannot close udp://127.0.0.1:62000: stuck");
  await assertRejects(() => receiving, SocketClosedError);
  await assertRejects(() => socket.send("a", PEER), SocketClosedError);
  socket.close();
  await socket[Symbol.asyncDispose]();
  assertEquals(carrier.calls.filter((call) => call === "close").length, 1);
});

type UdpAddr = NetAddr & { transport: "udp" };

for (
  const [name, open] of [
    ["a Deno.DatagramConn", (at: UdpAddr) => Deno.listenDatagram(at)],
    ["a carrier of dgram()", (at: UdpAddr) => dgram().listen(at)],
  ] as const
) {
  Deno.test(`${name} that closes by itself ends all waits`, async () => {
    const carrier: Carrier = open({
      ...{ transport: "udp", hostname: "127.0.0.1", port: 0 },
    });
    const socket = new DatagramSocket(carrier);
    const receiving = socket.receive();
    const iteration = (async () => {
      for await (const _ of socket) throw new Error("a datagram came");
    })();
    await turn();
    carrier.close();
    await assertRejects(() => receiving, SocketClosedError);
    await iteration;
    await assertRejects(() => socket.receive(), SocketClosedError);
    await assertRejects(() => socket.send("a", PEER), SocketClosedError);
    socket.close();
    await carrier.closed;
  });
}

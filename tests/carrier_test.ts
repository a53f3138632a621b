import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  bind,
  type Carrier,
  connect,
  ConnectedSocket,
  DatagramSocket,
} from "../mod.ts";
import { fakeBound, FakeCarrier } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON, turn } from "./support/helpers.ts";

function conn(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

Deno.test("any Deno.DatagramConn is a carrier as it is", async () => {
  await using socket = new DatagramSocket(conn());
  await using client = await connect(socket.addr);
  await client.send("ping");
  const { from } = await socket.receive(SOON);
  await socket.send("pong", from);
  assertEquals((await client.receive(SOON)).text(), "pong");
});

Deno.test("a Deno.DatagramConn carries a connected socket too", async () => {
  await using peer = bind(LOOPBACK);
  await using socket = new ConnectedSocket(conn(), peer.addr);
  await assertRejects(
    () => socket.receive({ timeoutMs: 0 }),
    Deno.errors.TimedOut,
  );
  assertEquals(await socket.tryReceive(), undefined);
  await peer.send("hello", socket.addr as Deno.NetAddr);
  assertEquals((await socket.receive(SOON)).text(), "hello");
  socket.unref();
  socket.ref();
});

Deno.test("four members are enough for a carrier", async () => {
  const { addr, receive, send, close } = new FakeCarrier({});
  const inner = fakeBound().carrier;
  const carrier: Carrier = {
    addr,
    receive: receive.bind(inner),
    send: send.bind(inner),
    close: close.bind(inner),
  };
  const socket = new DatagramSocket(carrier);
  assertEquals(await socket.tryReceive(), undefined);
  await socket.send("a", PEER);
  inner.deliver("b");
  assertEquals((await socket.receive(SOON)).text(), "b");
  assertEquals(await socket.kernelDrops(), undefined);
  socket.unref();
  socket.ref();
  await socket[Symbol.asyncDispose]();
});

Deno.test("a carrier's error rejects one receive, with class and cause", async () => {
  const { carrier, socket } = fakeBound();
  const first = socket.receive();
  const second = socket.receive();
  const cause = new Deno.errors.NetworkUnreachable("nobody there");
  carrier.fail(cause);
  const error = await assertRejects(
    () => first,
    Deno.errors.NetworkUnreachable,
  );
  assertEquals(
    error.message,
    "Cannot receive on udp://127.0.0.1:62000: nobody there",
  );
  assertStrictEquals(error.cause, cause);
  carrier.deliver("a");
  assertEquals((await second).text(), "a");
  socket.close();
});

Deno.test("an error without a receiver is kept for the next receive, in order", async () => {
  const { carrier, socket } = fakeBound();
  assertEquals(await socket.tryReceive(), undefined);
  carrier.fail(new Deno.errors.NetworkUnreachable("nobody there"));
  carrier.deliver("a");
  await turn();
  assertEquals(socket.stats.waiting, 0);
  await assertRejects(() => socket.receive(), Deno.errors.NetworkUnreachable);
  assertEquals((await socket.receive()).text(), "a");
  socket.close();
});

Deno.test("a carrier's receive may throw instead of rejecting", async () => {
  const { carrier, socket } = fakeBound();
  const { receive } = carrier;
  carrier.receive = () => {
    throw new TypeError("broken");
  };
  await assertRejects(
    () => socket.receive(),
    TypeError,
    "Cannot receive on udp://127.0.0.1:62000: broken",
  );
  carrier.receive = receive;
  carrier.deliver("a");
  assertEquals((await socket.receive()).text(), "a");
  socket.close();
});

Deno.test("a rejection that is not an Error becomes one's cause", async () => {
  const { carrier, socket } = fakeBound();
  carrier.receive = () => Promise.reject("why");
  const error = await assertRejects(() => socket.receive(), Error, ": why");
  assertEquals(error.cause, "why");
  await socket[Symbol.asyncDispose]();
});

Deno.test("at most one receive of the carrier is in flight, and none without a receiver", async () => {
  const { carrier, socket } = fakeBound();
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  await turn();
  assertEquals([carrier.reading, carrier.queued], [false, 3]);
  // A second receive in flight would make the carrier throw.
  const got = await Promise.all([socket.receive(), socket.receive()]);
  assertEquals(got.map((datagram) => datagram.text()), ["a", "b"]);
  await turn();
  assertEquals([carrier.reading, carrier.queued], [false, 1]);
  assertEquals((await socket.tryReceive())?.text(), "c");
  socket.close();
});

Deno.test("a datagram that arrives after a time-out waits; no more are read", async () => {
  const { carrier, socket } = fakeBound();
  assertEquals(await socket.tryReceive(), undefined);
  for (let i = 0; i < 1000; i++) carrier.deliver(`${i}`);
  await turn();
  assertEquals(socket.stats.waiting, 1);
  assertEquals(carrier.queued, 999);
  for (let i = 0; i < 1000; i++) {
    assertEquals((await socket.receive()).text(), `${i}`);
  }
  socket.close();
});

Deno.test("bytes are copied if a carrier reuses its own buffer", async () => {
  const carrier = new FakeCarrier({});
  const reused = new Uint8Array(4);
  let count = 0;
  carrier.receive = () =>
    Promise.resolve([reused.fill(++count).subarray(0, 3), PEER]);
  const socket = new DatagramSocket(carrier);
  const got = [await socket.receive(), await socket.receive()];
  reused.fill(0);
  assertEquals(got.map(({ data }) => [...data]), [[1, 1, 1], [2, 2, 2]]);
  socket.close();
});

Deno.test("a datagram longer than maxSize is cut, whatever buffer the carrier used", async () => {
  const carrier = new FakeCarrier({});
  carrier.receive = () => Promise.resolve([new Uint8Array(100).fill(7), PEER]);
  const socket = new DatagramSocket(carrier, { maxSize: 10 });
  const { data, truncated } = await socket.receive();
  assertEquals([...data], Array(10).fill(7));
  assertEquals(truncated, true);
  socket.close();
});

Deno.test("a carrier's opened is the socket's", async () => {
  const cause = new Deno.errors.AddrInUse("in use");
  const opened = Promise.reject(cause);
  const socket = new DatagramSocket(
    Object.assign(new FakeCarrier({}), { opened }),
  );
  const error = await assertRejects(
    () => socket.opened,
    Deno.errors.AddrInUse,
    "Cannot bind udp://127.0.0.1:62000: in use",
  );
  assertStrictEquals(error.cause, cause);
  socket.close();
});

Deno.test("the socket's kernelDrops are the carrier's, until it is closed", async () => {
  const socket = new DatagramSocket(
    Object.assign(new FakeCarrier({}), {
      kernelDrops: () => Promise.resolve(7),
    }),
  );
  assertEquals(await socket.kernelDrops(), 7);
  socket.close();
  assertEquals(await socket.kernelDrops(), undefined);
});

Deno.test("an address that is a path is shown as one", async () => {
  const addr = { transport: "unixpacket", path: "/run/a.sock" } as const;
  const carrier = Object.assign(new FakeCarrier({}), { addr });
  const socket = new DatagramSocket<Deno.UnixAddr>(carrier);
  assertEquals(socket.addr, addr);
  await assertRejects(
    () => socket.receive({ timeoutMs: 0 }),
    Deno.errors.TimedOut,
    "Cannot receive on unix:/run/a.sock: ",
  );
  socket.close();
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bind,
  connect,
  ConnectedSocket,
  DatagramSocket,
  serve,
} from "../mod.ts";
import { batchBound, cut } from "./support/fake_batches.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  sourceOf,
} from "./support/fakes.ts";
import {
  LOCAL,
  LOOPBACK,
  net,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

Deno.test("changing a socket's addr has no effect on the socket", async () => {
  await using socket = bind(LOOPBACK);
  const { port } = socket.addr;
  socket.addr.port = 1;
  socket.addr.hostname = "::1";
  const error = await socket.receive({ timeoutMs: 0 }).catch((error) => error);
  assertEquals(error.local, net("127.0.0.1", port));
  assert(error.message.includes(`udp://127.0.0.1:${port}`));
  await socket.send("x", `127.0.0.1:${port}`);
  assertEquals((await socket.receive(SOON)).text(), "x");
  await using other = bind(LOOPBACK);
  assertEquals(other.addr.hostname, "127.0.0.1");
});

Deno.test("changing a carrier's addr has no effect on the socket above it", async () => {
  const carrier = new FakeCarrier({ addr: { ...LOCAL } });
  const socket = new DatagramSocket(carrier);
  carrier.addr.port = 1;
  carrier.addr.transport = "tcp" as "udp";
  await socket.send("x", PEER);
  assertEquals(socket.addr, LOCAL);
  socket.addr.port = 2;
  assertEquals(carrier.addr.port, 1);
  const error = await socket.receive({ timeoutMs: 0 }).catch((error) => error);
  assertEquals(error.local, LOCAL);
  socket.close();
});

Deno.test("changing a client's remote has no effect on the client", async () => {
  const { carrier, socket } = fakeClient();
  socket.remote.port = STRANGER.port;
  await socket.send("a");
  await socket.sendMany(["b"]);
  const request = socket.request("c");
  assertEquals(carrier.sent.map(({ to }) => to), [PEER, PEER, PEER]);
  carrier.deliver("psst", STRANGER);
  carrier.deliver("reply", PEER);
  assertEquals((await request).text(), "reply");
  assertEquals(socket.stats.dropped["stranger"], 1);
  socket.close();
});

Deno.test("changing the address given to connect has no effect on the client", async () => {
  const carrier = new FakeCarrier({});
  const to = { ...PEER };
  const client = await connect(to, { carrier: sourceOf(carrier) });
  const given = { ...PEER };
  const direct = new FakeCarrier({});
  const other = new ConnectedSocket(direct, given);
  to.port = given.port = 1;
  await client.send("x");
  await other.send("x");
  assertEquals([carrier.sent[0]?.to, direct.sent[0]?.to], [PEER, PEER]);
  client.close();
  other.close();
});

Deno.test("changing an address after send has no effect on what is sent", async () => {
  const { carrier, socket } = fakeBound();
  const gate = Promise.withResolvers<void>();
  carrier.onSend = async (data) => (await gate.promise, data.length);
  const to = { ...PEER };
  const sending = [socket.send("a", to), socket.send("b", to)];
  to.port = 1;
  sending.push(socket.send("c", to));
  to.hostname = "10.0.0.1";
  await turn();
  gate.resolve();
  await Promise.all(sending);
  assertEquals(
    carrier.sent.map(({ data, to }) => [new TextDecoder().decode(data), to]),
    [["a", PEER], ["c", net("127.0.0.1", 1)], ["b", PEER]],
  );
  socket.close();
});

Deno.test("an address that changes while it is read is checked as it is used", async () => {
  const { carrier, socket } = fakeBound();
  let reads = 0;
  const shifty = {
    transport: "udp" as const,
    hostname: "127.0.0.1",
    get port() {
      return reads++ === 0 ? 40_000 : 0;
    },
    get scheme() {
      return reads++ === 1 ? undefined : "tls" as const;
    },
  };
  await socket.send("x", shifty);
  assertEquals(carrier.sent[0]?.to, PEER);
  socket.close();
});

Deno.test("changing the address of one datagram of a run changes no other", async () => {
  for (const reuse of [false, true]) {
    const { carrier, socket } = batchBound();
    carrier.deliver(cut(new Uint8Array(30), 10, { ...PEER }));
    const { value } = await socket.batches({ reuse }).next();
    value[0].from.port = 1;
    value[2].from.port = 2;
    assertEquals(value[1].from, PEER);
    socket.close();
  }
});

Deno.test("changing bind's options afterwards has no effect on the socket", async () => {
  const carrier = new FakeCarrier({});
  const options = {
    carrier: sourceOf(carrier),
    maxSize: 5,
    deny: [STRANGER.hostname + "/32"],
    answerLimit: { perSecond: 1, burst: 1 },
  };
  await using socket = bind(PEER, options);
  options.maxSize = 1;
  options.deny.length = 0;
  options.answerLimit.burst = 100;
  carrier.deliver("denied", STRANGER);
  carrier.deliver("longer", net("10.0.0.1", 1));
  const datagram = await socket.receive();
  assertEquals(datagram.text(), "longe");
  assertEquals(socket.stats.dropped["denied"], 1);
  assertEquals(await socket.answer("a", datagram), true);
  assertEquals(await socket.answer("b", datagram), false);
});

Deno.test("connect's options are those of the call, however long dialing takes", async () => {
  const carrier = new FakeCarrier({});
  const dialed = Promise.withResolvers<FakeCarrier>();
  const options = {
    carrier: { listen: () => carrier, dial: () => dialed.promise },
    maxSize: 5,
  };
  const connecting = connect(PEER, options);
  options.maxSize = -1;
  dialed.resolve(carrier);
  await using client = await connecting;
  carrier.deliver("longer");
  assertEquals((await client.receive()).text(), "longe");
});

Deno.test("changing an operation's options afterwards has no effect on it", async () => {
  const { carrier, socket } = fakeClient();
  const options = { max: 2, match: () => true, signal: undefined };
  const batches = socket.batches(options);
  const request = socket.request("x", options);
  Object.assign(options, {
    max: 0,
    match: () => false,
    signal: AbortSignal.abort(),
  });
  carrier.deliver("reply");
  carrier.deliver("a");
  assertEquals((await request).text(), "reply");
  assertEquals((await batches.next()).value.length, 1);
  socket.close();
});

Deno.test("changing serve's options afterwards has no effect on the server", async () => {
  const carrier = new FakeCarrier({});
  const errors: unknown[] = [];
  const options = {
    carrier: sourceOf(carrier),
    maxConcurrent: 1,
    onError: (error: unknown) => void errors.push(error),
  };
  let running = 0;
  const gate = Promise.withResolvers<void>();
  const server = serve(PEER, async () => {
    running++;
    await gate.promise;
    throw "mine";
  }, options);
  options.maxConcurrent = 100;
  options.onError = () => void errors.push("another");
  for (const text of ["a", "b"]) carrier.deliver(text);
  await turn();
  assertEquals(running, 1);
  gate.resolve();
  while (errors.length < 2) await turn();
  assertEquals(errors, ["mine", "mine"]);
  await server.shutdown();
});

Deno.test("stats are a copy", () => {
  const { socket } = fakeBound();
  const stats = socket.stats as { dropped: Record<string, number> };
  stats.dropped["closed"] = 7;
  Object.assign(socket.stats, { received: 7 });
  assertEquals([socket.stats.dropped["closed"], socket.stats.received], [0, 0]);
  assertThrows(() => (socket as { stats: unknown }).stats = {}, TypeError);
  socket.close();
});

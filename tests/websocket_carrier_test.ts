import { assert, assertEquals, assertRejects } from "@std/assert";
import { webSockets } from "../examples/websocket_carrier.ts";
import { bind, connect, type DatagramSocket } from "../mod.ts";
import { SOON } from "./support/helpers.ts";
import { carrierContract } from "@pli/datagram/testing";

carrierContract("WebSockets", () => webSockets, {
  address: () => "tcp://127.0.0.1:0",
  sendToUnbound: "either",
});

const ANY = "tcp://127.0.0.1:0";

/** An open WebSocket to the server, by the platform's own means. */
async function open({ addr }: DatagramSocket): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${addr.port}`);
  await new Promise((resolve) => socket.onopen = resolve);
  return socket;
}

/** The event that the socket closes with. */
function closing(socket: WebSocket): Promise<CloseEvent> {
  return new Promise((resolve) => socket.onclose = resolve);
}

Deno.test("WebSockets: a text message closes its connection with 1003 and a reason", async () => {
  await using server = bind(ANY, { carrier: webSockets });
  const socket = await open(server);
  const closed = closing(socket);
  socket.send("text");
  const { code, reason } = await closed;
  assertEquals([code, reason], [1003, "binary messages only"]);
});

Deno.test("WebSockets: a plain HTTP request gets 426 and the protocol to use", async () => {
  await using server = bind(ANY, { carrier: webSockets });
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
  await response.body?.cancel();
  assertEquals(
    [response.status, response.headers.get("upgrade")],
    [426, "websocket"],
  );
});

Deno.test("WebSockets: a flood without a receiver is bounded, and its drops are counted", async () => {
  await using server = bind(ANY, { carrier: webSockets });
  const socket = await open(server);
  const count = 2000;
  for (let n = 0; n < count; n++) socket.send(new Uint8Array(1000));
  // The answer to a close comes after everything that was sent before it.
  const closed = closing(socket);
  socket.close();
  await closed;
  // Another peer has room for its messages, although the flood waits.
  await using client = await connect(server.addr, { carrier: webSockets });
  await client.send("good");
  let last;
  while (last?.data.length !== 4) last = await server.receive(SOON);
  const { received, dropped } = server.stats;
  assert(received >= 256 && dropped["queueFull"]! > 0, `${received} received`);
  assertEquals(received + dropped["queueFull"]!, count + 1);
});

Deno.test("WebSockets: receive rejects when the server has gone, after its last message", async () => {
  const server = bind(ANY, { carrier: webSockets });
  await using client = await connect(server.addr, { carrier: webSockets });
  await client.send("hello");
  const { from } = await server.receive(SOON);
  await server.send("last words", from);
  await server[Symbol.asyncDispose]();
  assertEquals((await client.receive(SOON)).text(), "last words");
  for (let n = 0; n < 2; n++) {
    await assertRejects(
      () => client.receive(SOON),
      Deno.errors.ConnectionReset,
    );
  }
});

Deno.test("WebSockets: connect rejects if nothing listens", async () => {
  const server = bind(ANY, { carrier: webSockets });
  const { addr } = server;
  await server[Symbol.asyncDispose]();
  await assertRejects(
    () => connect(addr, { carrier: webSockets }),
    Error,
    "no WebSocket",
  );
});

Deno.test("WebSockets: messages that had arrived when the socket is closed are counted", async () => {
  const server = bind(ANY, { carrier: webSockets });
  const socket = await open(server);
  for (let n = 0; n < 10; n++) socket.send(new Uint8Array([n]));
  const closed = closing(socket);
  assertEquals((await server.receive(SOON)).data[0], 0);
  socket.close();
  await closed;
  await server[Symbol.asyncDispose]();
  const { received, dropped } = server.stats;
  assertEquals([received, dropped["closed"]], [1, 9]);
});

Deno.test("WebSockets: no more than 256 peers are connected; others are served", async () => {
  await using server = bind(ANY, { carrier: webSockets });
  const peers = await Promise.all(
    Array.from({ length: 256 }, () => open(server)),
  );
  await assertRejects(
    () => connect(server.addr, { carrier: webSockets }),
    Error,
    "no WebSocket",
  );
  const closed = peers.map(closing);
  peers[0]!.send(new Uint8Array([7]));
  assertEquals((await server.receive(SOON)).data[0], 7);
  for (const peer of peers) peer.close();
  await Promise.all(closed);
});

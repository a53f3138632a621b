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
  for (let n = 0; n < count; n++) socket.send(new Uint8Array([1]));
  // The answer to a close comes after everything that was sent before it.
  const closed = closing(socket);
  socket.close();
  await closed;
  while (await server.tryReceive() !== undefined);
  const { received, dropped } = server.stats;
  assert(received >= 256 && dropped["queueFull"]! > 0, `${received} received`);
  assertEquals(received + dropped["queueFull"]!, count);
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

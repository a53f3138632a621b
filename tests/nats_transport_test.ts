import { assertEquals } from "@std/assert";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { version } from "@nats-io/transport-node/lib/version.js";
import "../lib/sinks/nats/patched_transport.ts";

Deno.test("the NATS client has the version that its patch was written for", () => {
  assertEquals(version, "3.4.0");
});

Deno.test("a NATS connection always has a listener for errors", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [socket, connection] = await Promise.all([
    new NodeTransport().dial({ hostname: "127.0.0.1", port }),
    listener.accept(),
  ]);
  // As the client does, with and without an event.
  socket.removeAllListeners();
  assertEquals(socket.listenerCount("error"), 1);
  socket.removeAllListeners("error");
  assertEquals(socket.listenerCount("error"), 1);
  // Without a listener this would throw.
  socket.emit("error", new Error("reset"));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.destroy();
  connection.close();
  await closed;
});

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, connect, DatagramSocket, serve } from "../mod.ts";
import { BoundCarrier } from "../lib/carriers/tcp/bound.ts";
import { checkOptions } from "../lib/carriers/tcp/limits.ts";
import { tls } from "../lib/carriers/tls.ts";
import { certificate } from "./support/certificates.ts";
import { bytesOf, SOON } from "./support/helpers.ts";
import { counted } from "./support/streams.ts";

const ANY = "tls://127.0.0.1:0";

/** Receives until that number of handshakes have failed. */
async function handshakesFailed(socket: DatagramSocket, count: number) {
  await counted(socket, ({ connections }) => {
    const { handshake } = connections!;
    return handshake! < count ? undefined : handshake;
  });
  assertEquals(socket.stats.connections!["handshake"], count);
}

Deno.test("a request and its reply, encrypted", async () => {
  const { cert, key } = await certificate();
  await using server = serve(ANY, (d) => `echo: ${d.text()}`, {
    carrier: tls({ cert, key }),
  });
  await using client = await connect(server.addr, {
    carrier: tls({ caCerts: [cert] }),
  });
  assertEquals((await client.request("ping", SOON)).text(), "echo: ping");
  assertEquals(client.remote, server.addr);
});

Deno.test("replies to requests that arrive together leave together", async () => {
  const { cert, key } = await certificate();
  const inner = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  let writes = 0;
  const listener = {
    addr: inner.addr,
    async accept() {
      const conn = await inner.accept();
      const write = conn.write.bind(conn);
      conn.write = (bytes) => {
        writes++;
        return write(bytes);
      };
      return conn;
    },
    close: () => inner.close(),
    ref: () => inner.ref(),
    unref: () => inner.unref(),
  } as Deno.TlsListener;
  const carrier = new BoundCarrier(listener, checkOptions({}), "tls");
  await using socket = new DatagramSocket(carrier);
  await using client = await connect(socket.addr, {
    carrier: tls({ caCerts: [cert] }),
  });
  await client.send("hello");
  const { from } = await socket.receive(SOON);
  for (const text of ["a", "b", "c"]) void socket.send(text, from);
  for (const text of ["a", "b", "c"]) {
    assertEquals((await client.receive(SOON)).text(), text);
  }
  assertEquals(writes, 1);
});

Deno.test("a client that does not trust the certificate cannot connect; others can", async () => {
  const { cert, key } = await certificate();
  const stranger = await certificate();
  const carrier = tls({ cert, key, caCerts: [cert] });
  await using socket = bind(ANY, { carrier });
  await assertRejects(
    () => connect(socket.addr, { carrier: tls({}) }),
    Deno.errors.InvalidData,
    `Cannot connect to tls://127.0.0.1:${socket.addr.port}: the server's certificate comes from an unknown issuer; trust it by caCerts, or --ca FILE`,
  );
  await assertRejects(
    () => connect(socket.addr, { carrier: tls({ caCerts: [stranger.cert] }) }),
    Deno.errors.InvalidData,
  );
  await handshakesFailed(socket, 2);
  await using client = await connect(socket.addr, { carrier });
  await client.send("still here");
  assertEquals((await socket.receive(SOON)).text(), "still here");
});

Deno.test("a certificate for another name, or of another time, is refused", async () => {
  const other = await certificate({ hosts: ["pli.example"] });
  const old = await certificate({ expired: true });
  for (
    const [{ cert, key }, says] of [
      [other, 'the server\'s certificate is not for that name: "127.0.0.1"'],
      [old, "the server's certificate has expired, or is not valid yet"],
    ] as const
  ) {
    const carrier = tls({ cert, key, caCerts: [cert] });
    await using socket = bind(ANY, { carrier });
    await assertRejects(
      () => connect(socket.addr, { carrier }),
      Deno.errors.InvalidData,
      says,
    );
  }
});

Deno.test("serverName is the name that the certificate must be issued for", async () => {
  const { cert, key } = await certificate({ hosts: ["pli.example"] });
  await using socket = bind(ANY, { carrier: tls({ cert, key }) });
  const carrier = tls({ serverName: "pli.example", caCerts: [cert] });
  await using client = await connect(socket.addr, { carrier });
  await client.send("x");
  assertEquals((await socket.receive(SOON)).text(), "x");
});

Deno.test("a client that speaks no TLS, or stops, is disconnected and counted", async () => {
  const { cert, key } = await certificate();
  const carrier = tls({ cert, key, caCerts: [cert], handshakeMs: 2000 });
  await using socket = bind(ANY, { carrier });
  const { hostname, port } = socket.addr;
  using plain = await Deno.connect({ hostname, port });
  await plain.write(bytesOf("GET / HTTP/1.0\r\n\r\n"));
  await handshakesFailed(socket, 1);
  using _silent = await Deno.connect({ hostname, port });
  await handshakesFailed(socket, 2);
  await using client = await connect(socket.addr, { carrier });
  await client.send("still here");
  assertEquals((await socket.receive(SOON)).text(), "still here");
});

Deno.test("connections that begin no handshake give way to a new one, when there are too many", async () => {
  const { cert, key } = await certificate();
  const carrier = tls({ cert, key, caCerts: [cert], maxPeers: 4 });
  await using socket = bind(ANY, { carrier });
  await using good = await connect(socket.addr, { carrier });
  await good.send("good");
  assertEquals((await socket.receive(SOON)).text(), "good");
  const { hostname, port } = socket.addr;
  const silent = await Promise.all(
    Array.from({ length: 20 }, () => Deno.connect({ hostname, port })),
  );
  await using other = await connect(socket.addr, { carrier });
  for (const client of [good, other]) {
    await client.send("served");
    assertEquals((await socket.receive(SOON)).text(), "served");
  }
  const { handshake, tooManyPeers } = socket.stats.connections!;
  // Two of the silent ones are still there.
  assertEquals([handshake, tooManyPeers], [18, 0]);
  for (const conn of silent) conn.close();
});

Deno.test("connect times out if the server sends nothing", async () => {
  await using silent = bind("tcp://127.0.0.1:0");
  const carrier = tls({ handshakeMs: 50 });
  const { port } = silent.addr;
  await assertRejects(
    () => connect(`tls://127.0.0.1:${port}`, { carrier }),
    Deno.errors.TimedOut,
    "no TLS handshake within 50 ms",
  );
});

Deno.test("a line that is cut off without TLS's own end is not a message", async () => {
  const { cert, key } = await certificate();
  await using socket = bind(ANY, { carrier: tls({ cert, key }) });
  const relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = relay.addr as Deno.NetAddr;
  const accepting = relay.accept();
  const dialling = Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [cert],
  });
  const inner = await accepting;
  relay.close();
  const { hostname, port: to } = socket.addr;
  const outer = await Deno.connect({ hostname, port: to });
  const passing = [
    inner.readable.pipeTo(outer.writable).catch(() => {}),
    outer.readable.pipeTo(inner.writable).catch(() => {}),
  ];
  using client = await dialling;
  await client.write(bytesOf("whole\nhalf"));
  assertEquals((await socket.receive(SOON)).text(), "whole");
  // Neither end sends close_notify.
  outer.close();
  while (socket.stats.dropped["incomplete"] === 0) {
    assertEquals(await socket.tryReceive(), undefined);
  }
  await Promise.all(passing);
});

Deno.test("a server needs a certificate and the key of that certificate", async () => {
  const { cert, key } = await certificate();
  assertThrows(
    () => bind(ANY, { carrier: tls({ cert }) }),
    TypeError,
    "Cannot bind tls://127.0.0.1:0: a TLS server needs cert and key",
  );
  const other = await certificate();
  assertThrows(
    () => bind(ANY, { carrier: tls({ cert, key: other.key }) }),
    TypeError,
    "Cannot bind tls://127.0.0.1:0: key is not the key of cert",
  );
  assertThrows(
    () => bind("tcp://127.0.0.1:0", { carrier: tls({ cert, key }) }),
    TypeError,
    'Invalid address "tcp://127.0.0.1:0": this carrier carries only tls:// addresses; give "tls://127.0.0.1:0", or use a carrier for tcp:// addresses',
  );
});

Deno.test("timers run while messages are sent over TLS one after another", async () => {
  const { cert, key } = await certificate();
  await using server = serve(ANY, () => undefined, {
    carrier: tls({ cert, key }),
  });
  await using client = await connect(server.addr, {
    carrier: tls({ caCerts: [cert] }),
  });
  let due = false;
  const timer = setTimeout(() => due = true);
  for (let n = 0; n < 100_000 && !due; n++) await client.send("x");
  clearTimeout(timer);
  assertEquals(due, true);
});

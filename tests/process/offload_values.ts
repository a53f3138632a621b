// Addresses are values: changing one changes nothing else.
import { assertEquals, assertRejects } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { systemLibc } from "../../lib/carriers/offload/libc.ts";
import {
  decodeAddress,
  encodeAddress,
} from "../../lib/carriers/offload/sockaddr.ts";
import { LOOPBACK, net, SOON } from "../support/helpers.ts";

const carrier = offload();
const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("an address object that is changed between sends is read at each send", async () => {
  await using a = bind(LOOPBACK);
  await using b = bind(LOOPBACK);
  await using socket = bind(LOOPBACK, { carrier });
  const to = { ...a.addr };
  await socket.send("for a", to);
  to.port = b.addr.port;
  await socket.send("for b", to);
  await socket.sendMany(function* () {
    for (const { addr } of [a, b]) {
      to.port = addr.port;
      yield { data: "many", to };
    }
  }());
  for (const [peer, text] of [[a, "for a"], [b, "for b"]] as const) {
    assertEquals((await peer.receive(SOON)).text(), text);
    assertEquals((await peer.receive(SOON)).text(), "many");
    assertEquals(await peer.tryReceive(), undefined);
  }
});

Deno.test("a carrier that is used directly reads the address at each send, too", async () => {
  await using a = bind(LOOPBACK);
  await using b = bind(LOOPBACK);
  const direct = carrier.listen(net("127.0.0.1", 0));
  const to = { ...a.addr };
  await direct.send(encode("for a"), to);
  to.port = b.addr.port;
  await direct.send(encode("for b"), to);
  to.port = a.addr.port;
  await direct.sendBatch!([{ data: encode("for a"), to }]);
  to.port = b.addr.port;
  await direct.sendBatch!([{ data: encode("for b"), to }]);
  for (const [peer, text] of [[a, "for a"], [b, "for b"]] as const) {
    for (let n = 0; n < 2; n++) {
      assertEquals((await peer.receive(SOON)).text(), text);
    }
  }
  direct.close();
  await direct.closed;
});

Deno.test("a send that waits for a turn keeps the address that it was given", async () => {
  await using a = bind(LOOPBACK);
  await using b = bind(LOOPBACK);
  const direct = carrier.listen(net("127.0.0.1", 0));
  await direct.send(encode("for a"), a.addr);
  for (const end = performance.now() + 5; performance.now() < end;);
  const to = { ...a.addr };
  const sending = direct.send(encode("for a"), to);
  to.port = b.addr.port;
  await sending;
  for (let n = 0; n < 2; n++) {
    assertEquals((await a.receive(SOON)).text(), "for a");
  }
  assertEquals(await b.tryReceive(), undefined);
  direct.close();
  await direct.closed;
});

Deno.test("options that are changed later change nothing", async () => {
  const options = { receiveBuffer: 4096 };
  const source = offload(options);
  options.receiveBuffer = -1;
  await using socket = bind(LOOPBACK, { carrier: source });
  assertEquals(socket.stats.received, 0);
});

for (const host of ["127.0.0.1", "[::1]"]) {
  Deno.test(`changing what a run came from changes no later run's sender, ${host}`, async () => {
    const bound = carrier.listen(
      net(host.replace(/[[\]]/g, ""), 0),
    );
    const { port, hostname } = bound.addr as Deno.NetAddr;
    await using client = await connect(`udp://${host}:${port}`);
    for (let n = 0; n < 3; n++) {
      await client.send(`${n}`);
      const { from } = (await bound.receiveBatch!())[0]!;
      assertEquals(from, net(hostname, client.addr.port));
      Object.assign(from, { port: 69, hostname: "192.0.2.1" });
    }
    bound.close();
    await bound.closed;
  });
}

Deno.test("changing the address of a carrier changes nothing about it", async () => {
  const bound = carrier.listen(net("127.0.0.1", 0));
  const { port } = bound.addr as Deno.NetAddr;
  const dialed = await carrier.dial!(net("127.0.0.1", port));
  Object.assign(bound.addr, { port: 1 });
  Object.assign(dialed.remote!, { port: 1 });
  assertEquals(bound.addr, net("127.0.0.1", port));
  assertEquals(dialed.remote, net("127.0.0.1", port));
  await dialed.send(encode("x"), dialed.remote!);
  assertEquals((await bound.receiveBatch!()).length, 1);
  for (const carrier of [bound, dialed]) {
    carrier.close();
    await carrier.closed;
  }
});

Deno.test("an IPv4 socket sends to an IPv4 address in its IPv6 form", async () => {
  await using peer = bind(LOOPBACK);
  await using socket = bind(LOOPBACK, { carrier });
  await socket.send("x", `udp://[::ffff:127.0.0.1]:${peer.addr.port}`);
  assertEquals((await peer.receive(SOON)).text(), "x");
});

Deno.test("an address keeps its zone when it is encoded and decoded", () => {
  const libc = systemLibc()();
  for (const hostname of ["fe80::1%7", "fe80::1", "::1", "192.0.2.1"]) {
    const encoded = encodeAddress(libc, net(hostname, 1234));
    const view = new DataView(encoded.buffer);
    assertEquals(decodeAddress(view, 0), net(hostname, 1234));
  }
  libc.unload();
});

Deno.test("an unknown interface is reported with the address that was given", async () => {
  await using socket = bind("udp://[::1]:0", { carrier });
  await assertRejects(
    () => socket.send("x", "udp://[fe80::1%nosuch]:1234"),
    TypeError,
    'Invalid address "udp://[fe80::1%nosuch]:1234": there is no interface nosuch',
  );
});

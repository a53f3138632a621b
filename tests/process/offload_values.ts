// Addresses are values: changing one changes nothing else.
import { assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
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

for (const host of ["127.0.0.1", "[::1]"]) {
  Deno.test(`changing what a run came from changes no later run's sender, ${host}`, async () => {
    const bound = carrier.listen(
      net(host.replace(/[[\]]/g, ""), 0),
    );
    const { port, hostname } = bound.addr as Deno.NetAddr;
    await using client = await connect(`udp://${host}:${port}`);
    for (let n = 0; n < 3; n++) {
      await client.send(`${n}`);
      const [run] = await bound.receiveBatch!();
      assertEquals(run.from, net(hostname, client.addr.port));
      Object.assign(run.from, { port: 69, hostname: "192.0.2.1" });
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

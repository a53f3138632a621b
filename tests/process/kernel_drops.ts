import { assert, assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";

const SENT = 10_000;

Deno.test("received and kernel-dropped datagrams add up to 10,000 sent", async () => {
  for (const address of ["127.0.0.1:0", "udp://[::1]:0"]) {
    await using socket = bind(address);
    await using client = await connect(socket.addr);
    assertEquals(await socket.kernelDrops(), 0);
    for (let n = 0; n < SENT; n++) await client.send(`${n}`);
    let last = -1;
    let datagram;
    while ((datagram = await socket.tryReceive()) !== undefined) {
      const n = Number(datagram.text());
      assert(n > last, `${n} after ${last}`);
      last = n;
    }
    const drops = await socket.kernelDrops();
    assert(drops !== undefined && drops > 0, `${drops} dropped`);
    assertEquals(socket.stats.received + drops, SENT);
  }
});

Deno.test("kernelDrops is undefined if it cannot be known", async () => {
  const shared = { reuseAddress: true };
  await using first = bind("127.0.0.1:0", shared);
  assertEquals(await first.kernelDrops(), 0);
  {
    await using second = bind(first.addr, shared);
    assertEquals(await second.kernelDrops(), undefined);
  }
  first.close();
  assertEquals(await first.kernelDrops(), undefined);
});

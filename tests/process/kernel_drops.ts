import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { Program } from "./support/programs.ts";

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

Deno.test("server says at /stats, at /metrics and in its totals that the count is not known", async () => {
  const args = ["127.0.0.1:0", "--page", "127.0.0.1:0"];
  const flags = ["--allow-net=127.0.0.1"];
  await using server = new Program("server.ts", args, { flags });
  const [, url = ""] = await server.said(/^page at (\S+)$/);
  await server.said(/^listening on /);
  const stats = await (await fetch(new URL("/stats", url))).json();
  assertEquals(stats.kernelDrops, null);
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  assertMatch(metrics, /^pli_kernel_drops_known 0$/m);
  server.kill("SIGTERM");
  const { stderr } = await server.ended();
  assertMatch(stderr, /, dropped by the system: unknown \(needs --allow-run/);
});

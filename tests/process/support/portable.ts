// Uses the core and the harness where there is no global `Deno`: prints what it
// received, and the names of two errors.

// Deno's own implementation of this module needs the global.
import "node:net";

delete (globalThis as { Deno?: unknown }).Deno;

// Not by literals, which would be loaded before the line above.
const load = (path: string) =>
  import(new URL(`../../../${path}`, import.meta.url).href);
const core: typeof import("../../../mod.ts") = await load("mod.ts");
const testing: typeof import("../../../lib/testing/mod.ts") = await load(
  "lib/testing/mod.ts",
);

const network = testing.simulateNetwork();
await network.run(async () => {
  const carrier = network;
  await using socket = core.bind("udp://10.0.0.1:7", {
    carrier,
    deny: ["10.9.0.0/16"],
    rateLimit: 100,
  });
  await using client = await core.connect(socket.addr, { carrier });
  const request = client.request("ping", { timeoutMs: 1000 });
  const datagram = await socket.receive();
  await socket.answer(`re: ${datagram.text()}`, datagram);
  console.log((await request).text());
  const late = await socket.receive({ timeoutMs: 1 }).catch((error) => error);
  console.log(late instanceof core.errors.TimedOut, late.name, late.operation);
  socket.close();
  const closed = await socket.receive().catch((error) => error);
  console.log(closed instanceof core.errors.BadResource, closed.name);
});
console.log("Deno" in globalThis);

// What the README shows, on any runtime: prints what it finds.
import { bind, connect, errors, serve } from "@pli/datagram";

await using socket = bind("udp://127.0.0.1:0", { maxSize: 100 });
await using client = await connect(socket.addr);

await client.send("Bonjour je vous envoi un message !");
const first = await socket.receive();
await socket.send("bien reçu", first.from);
console.log("round trip:", (await client.receive()).text());

const late = await socket.receive({ timeoutMs: 20 }).catch((error) => error);
await client.send("after a timeout");
const next = await socket.receive();
console.log("timeout:", late instanceof errors.TimedOut, "then:", next.text());

await using wide = await connect(socket.addr, { maxSize: 1000 });
await wide.send(new Uint8Array(500));
const { data, truncated } = await socket.receive();
console.log("truncated:", truncated, data.length);

try {
  await using second = bind(socket.addr);
  await second.opened;
} catch (error) {
  console.log("in use:", error instanceof errors.AddrInUse);
}

await using server = serve("udp://127.0.0.1:0", (d) => `echo: ${d.text()}`);
await using peer = await connect(server.addr);
const reply = await peer.request("ping", { timeoutMs: 500, retries: 3 });
console.log("request:", reply.text());

const { received, waiting, dropped } = socket.stats;
const lost = Object.values(dropped).reduce((sum, count) => sum + count);
console.log("received:", received, "waiting:", waiting, "dropped:", lost);

// Many connections send long lines, with an end and without, to a socket that
// sleeps and wakes. Prints a report in one line.
import { bind } from "../../../mod.ts";

const PEERS = 300;
const LINE = 1024 * 1024;
const BEGUN = 60_000;
const ASLEEP_MS = 20;

await using socket = bind("tcp://127.0.0.1:0");
const { hostname, port } = socket.addr;
const chunk = new Uint8Array(64 * 1024).fill(0x78);

async function write(conn: Deno.Conn, size: number): Promise<void> {
  for (let left = size; left > 0;) {
    left -= await conn.write(chunk.subarray(0, Math.min(left, chunk.length)));
  }
}

async function flood(): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname, port });
  await write(conn, LINE);
  await conn.write(new Uint8Array([0x0a]));
  await write(conn, BEGUN);
  return conn;
}

const flooding = Promise.all(Array.from({ length: PEERS }, flood));
let rss = 0;
let truncated = 0;
for (let n = 0; n < PEERS; n++) {
  if ((await socket.receive()).truncated) truncated++;
  rss = Math.max(rss, Deno.memoryUsage().rss);
  if (n % 50 === 0) await new Promise((wake) => setTimeout(wake, ASLEEP_MS));
}
// All complete lines were received; the incomplete ones are held.
const nothing = await socket.receive({ timeoutMs: 500 }).catch(() => undefined);
const conns = await flooding;
rss = Math.max(rss, Deno.memoryUsage().rss);
const { received, dropped } = socket.stats;
for (const conn of conns) conn.close();
console.log(JSON.stringify({
  received,
  truncated,
  isQuiet: nothing === undefined,
  dropped,
  rss,
}));

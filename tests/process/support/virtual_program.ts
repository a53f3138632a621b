// A program with timers, random ids, digests, files and child processes on a
// simulated network. Prints a digest of what it saw and of the trace: one line if
// all runs were the same.
import children from "node:child_process";
import files from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import { connect, serve } from "../../../mod.ts";
import { simulateNetwork } from "../../../lib/testing/mod.ts";

const [runs = "1", draws = "platform"] = process.argv.slice(2);
const onDeno = "Deno" in globalThis;

const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

/** Returns which comes first: a real job, or a virtual timer of 1 ms. */
async function first(job: Promise<unknown>): Promise<string> {
  const stop = new AbortController();
  const late = AbortSignal.any([stop.signal, AbortSignal.timeout(1)]);
  return await Promise.race([
    job.then(() => "job"),
    new Promise<string>((end) => late.onabort = () => end("timer")),
  ]);
}

/** Returns what draws ids. */
async function drawer(): Promise<() => string> {
  if (draws !== "packages") return () => crypto.randomUUID();
  const { nanoid } = await import("nanoid");
  const { v4 } = await import("uuid");
  return () => `${nanoid()} ${v4()}`;
}

/** Returns all that happened, as text. */
async function run(): Promise<string> {
  const delayMs = { min: 5, max: 60 };
  const network = simulateNetwork({
    seed: 7,
    loss: 0.2,
    reorder: 0.2,
    delayMs,
  });
  const seen: unknown[] = [];
  const end = await network.run(async () => {
    const draw = await network.real(drawer);
    await using server = serve("udp://10.0.0.1:53", async ({ data }) => {
      const digest = await crypto.subtle.digest("SHA-256", data);
      await sleep(Math.random() * 30);
      return new Uint8Array(digest);
    }, { carrier: network });
    await using client = await connect(server.addr, { carrier: network });
    for (let n = 0; n < 5; n++) {
      const id = draw();
      seen.push(id, Date.now());
      const reply = await client.request(id, { timeoutMs: 100, retries: 99 });
      seen.push(reply.data.join(" "));
    }
    const jobs = [
      () => crypto.subtle.digest("SHA-256", new Uint8Array(100_000)),
      () => onDeno ? Deno.readFile("deno.json") : files.readFile("deno.json"),
      () => files.readFile("deno.json"),
      () =>
        onDeno ? new Deno.Command("true").output() : files.stat("deno.json"),
      () => promisify(children.execFile)("true"),
    ];
    for (const job of jobs) {
      seen.push(await first(job()));
      await client.send(`${performance.now()}`);
    }
    return new Date().toISOString();
  });
  return JSON.stringify(
    [seen, end, network.trace],
    (_, value) => value instanceof Uint8Array ? value.join(" ") : value,
  );
}

const digests = new Set<string>();
for (let n = 0; n < Number(runs); n++) {
  const text = new TextEncoder().encode(await run());
  const digest = await crypto.subtle.digest("SHA-256", text);
  digests.add(Array.from(new Uint8Array(digest)).join(" "));
}
console.log([...digests].join("\n"));

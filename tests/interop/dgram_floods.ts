/** A flood of datagrams at a slow program, by node:dgram on each runtime. */
import { assert, assertEquals } from "@std/assert";
import { bind } from "../../mod.ts";
import { COPY, copyProject } from "./support/project_copy.ts";
import { BUN, NODE, RUNTIMES } from "./support/runtimes.ts";

const SENT = 60_000;
const SIZE = 1000;
// Of which the socket may keep 1 MiB; the rest is the runtime's.
const MAX_GROWN = 128 * 1024 * 1024;

await copyProject();

const COMMANDS = [
  ["Deno", [Deno.execPath(), "run", "--quiet", "-A", "--no-config"]],
  [RUNTIMES.node.title, [NODE]],
  [RUNTIMES.bun.title, [BUN]],
] as const;

for (const [title, command] of COMMANDS) {
  Deno.test({
    name:
      `${title}: received, waiting and dropped are what was sent, in bounded memory`,
    timeout: 600_000,
    fn: () => flood(command),
  });
}

async function flood(command: readonly string[]): Promise<void> {
  const [program = "", ...args] = command;
  await using child = new Deno.Command(program, {
    args: [
      ...args,
      `${COPY}/tests/interop/runtimes/flood.mjs`,
      `${COPY}/mod.ts`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(child.stdout);
  const { port } = await next<{ port: number }>(lines);
  await using sender = bind("udp://127.0.0.1:0");
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const data = new Uint8Array(SIZE);
  for (let n = 0; n < SENT; n++) await sender.send(data, to);
  const told = next<Told>(lines);
  let isTold = false;
  told.finally(() => isTold = true).catch(() => {});
  let marks = 0;
  // Sent until one is received: each may be dropped.
  while (!isTold) {
    await sender.send(new Uint8Array(1), to);
    marks++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { received, waiting, dropped, system, grown } = await told;
  console.log({
    sent: SENT + marks,
    received,
    waiting,
    dropped,
    system,
    grown,
  });
  const sum = received + waiting + dropped.queueFull + (system ?? 0);
  // What was sent after the counts were read is in none of them.
  assert(sum >= SENT && sum <= SENT + marks, `${sum} of ${SENT + marks}`);
  assert(dropped.queueFull > 0);
  assertEquals(dropped.closed, 0);
  assert(grown < MAX_GROWN, `grown by ${grown} bytes`);
  await next(lines);
  assertEquals((await child.status).code, 0);
}

interface Told {
  readonly received: number;
  readonly waiting: number;
  readonly dropped: { readonly queueFull: number; readonly closed: number };
  readonly system: number | undefined;
  readonly grown: number;
}

async function next<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = await lines.next();
  if (done) throw new Error("the receiver has ended");
  return JSON.parse(value);
}

async function* linesOf(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

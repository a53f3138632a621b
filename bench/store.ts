// How many messages the server keeps, and what it takes: as a program, with
// `--store`, fed at an even rate and then as fast as one sender can; then the
// same with `--fast` at both ends.
//
//   store.ts [COUNT] [PER_SECOND]     2,000,000 at 50,000 a second
import { machine } from "./lib/machine.ts";
import { Child, denoProgram } from "./lib/child.ts";

const PACER = ["--allow-net=127.0.0.1", "--allow-ffi"];
const [count = 2_000_000, perSecond = 50_000] = Deno.args.map(Number);

console.log(`${machine()}\nThe server with a store, messages of 100 bytes.\n`);
console.log(
  "| | offered/s | sent | kept | not kept | lost by the system |" +
    " kept/s | CPU, us each | resident, MB |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const by of ["plain", "fast"] as const) {
  for (const rate of [perSecond, 0]) console.log(await measure(by, rate));
}

async function measure(by: "plain" | "fast", rate: number): Promise<string> {
  const folder = await Deno.makeTempDir();
  const flags = by === "fast" ? ["--fast"] : [];
  await using server = await serve(`${folder}/messages.db`, flags);
  await using pacer = new Child(
    denoProgram("processes/pacer.ts", PACER),
    ...[server.port, count, rate, by],
  );
  const { perSecond: offered } = await pacer.next<{ perSecond: number }>();
  const start = performance.now();
  // What is in the system's buffer is not counted as lost.
  await new Promise((go) => setTimeout(go, 300));
  const { received, kernelDrops, sinks, cpuUs, rss } = await server.stop();
  const seconds = count / offered + (performance.now() - start) / 1000;
  await Deno.remove(folder, { recursive: true });
  const cells = [
    by === "fast" ? "--fast" : "",
    rate === 0 ? `all it can: ${Math.round(offered)}` : Math.round(offered),
    count,
    sinks.store.stored,
    sinks.store.notStored,
    // Of runs the system counts each as one.
    by === "fast" ? count - received : kernelDrops,
    Math.round(sinks.store.stored / seconds),
    (cpuUs / received).toFixed(2),
    Math.round(rss / 1e6),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The server, and what it used: read where Linux says so. */
async function serve(path: string, flags: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-run=cat"],
      "--allow-ffi",
      ...[`--allow-read=${path}`, `--allow-write=${path}`, "server.ts"],
      ...["127.0.0.1:0", "--store", path, "--format", "json", ...flags],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const read = (async () => {
    let rest = "";
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
      const found = /^listening on .*:(\d+)$/m.exec(lines.join("\n"));
      if (found) resolve(Number(found[1]));
    }
  })();
  return {
    port: await port,
    async stop() {
      const proc = `/proc/${child.pid}`;
      const stat = (await Deno.readTextFile(`${proc}/stat`)).split(" ");
      const status = await Deno.readTextFile(`${proc}/status`);
      child.kill("SIGINT");
      await child.status;
      await read;
      return {
        ...JSON.parse(lines.at(-1)!),
        // Clock ticks of 10 ms, in user and system mode: proc(5).
        cpuUs: (Number(stat[13]) + Number(stat[14])) * 10_000,
        rss: Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1024,
      };
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
}

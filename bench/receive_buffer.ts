// Floods the server with messages of 100 bytes, sent one by one at full speed from
// this process, with the system's own receive buffer and with a larger one, and
// prints how many the system dropped.
//
//   deno run -A bench/receive_buffer.ts [COUNT] [SIZE]
import { connect } from "../mod.ts";

const [count = "200000", size = "4M"] = Deno.args;
if (!/^\d+$/.test(count) || Number(count) < 1) {
  console.error(`COUNT must be a whole number from 1: given ${count}`);
  Deno.exit(1);
}
const WAYS = [[], ["--fast"], ["--receive-buffer", size]];
const QUIET = ["--format", "json", "--timeout", "3s"];

for (const way of WAYS) {
  const { received, dropped, ms } = await flood(way);
  const sum = received + dropped;
  const exact = sum === Number(count) ? "the sum is exact" : `sum ${sum}`;
  const rate = Math.round(Number(count) / ms);
  console.log(
    `${way.join(" ") || "no option"}: ${received} received, ` +
      `${dropped} dropped by the system (${exact}), ${rate},000/s sent`,
  );
}

async function flood(way: string[]) {
  const allow = ["--allow-net=127.0.0.1", "--allow-run=cat", "--allow-ffi"];
  const args = ["server.ts", "127.0.0.1:0", ...way, ...QUIET];
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", ...allow, ...args],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  const start = Promise.withResolvers<string>();
  const reading = server.stderr.pipeThrough(new TextDecoderStream())
    .pipeTo(
      new WritableStream({
        write(text) {
          said += text;
          const [, address] = /^listening on (\S+)$/m.exec(said) ?? [];
          if (address !== undefined) start.resolve(address);
        },
      }),
    );
  await using client = await connect(await start.promise);
  const message = "x".repeat(100);
  const began = performance.now();
  for (let n = 0; n < Number(count); n++) await client.send(message);
  const ms = performance.now() - began;
  await reading;
  const [totals = ""] = said.match(/^\{.*\}$/gm)?.slice(-1) ?? [];
  const { received, kernelDrops } = JSON.parse(totals);
  return { received, dropped: kernelDrops as number, ms };
}

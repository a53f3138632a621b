import { assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { controlledRuns, uncontrolledRuns } from "../../bench/lib/run_soak.ts";
import { textsOf } from "../support/fake_batches.ts";
import { LOOPBACK, pattern, SOON } from "../support/helpers.ts";

const carrier = offload();

for (const reuse of [false, true]) {
  Deno.test(`each byte of runs of mixed lengths arrives in order, reuse ${reuse}`, async () => {
    const ledger = await controlledRuns(300_000, reuse);
    assertEquals([ledger.received, ledger.kernelDrops], [300_000, 0]);
  });
}

Deno.test("of runs beyond what the system holds, each datagram arrives or is missing", async () => {
  const { sent, received, missing } = await uncontrolledRuns(300_000);
  assertEquals(received + missing, sent);
});

Deno.test("a run with reuse stays whole while its program receives otherwise", async () => {
  await using socket = bind(LOOPBACK, { carrier });
  await using client = await connect(socket.addr, { carrier });
  const first = pattern(50 * 100);
  const other = new Uint8Array(first.length);
  await client.sendRun(first, 100);
  for await (const { data } of socket.runs({ reuse: true, ...SOON })) {
    await client.sendRun(other, 100);
    while (socket.stats.received < 80) await socket.receive(SOON);
    assertEquals(data, first.subarray(0, data.length));
    break;
  }
});

Deno.test("runs reach a named host and many peers, from a bound socket", async () => {
  await using socket = bind(LOOPBACK, { carrier });
  const { port } = socket.addr;
  await using sender = bind(LOOPBACK, { carrier });
  const named = { transport: "udp", hostname: "localhost", port } as const;
  await Promise.all([
    sender.sendRun("aabbc", 2, named),
    sender.sendRun("ddee", 2, socket.addr),
    sender.sendRun("", 0, named),
  ]);
  const got: string[] = [];
  for await (const run of socket.runs(SOON)) {
    got.push(...textsOf(run));
    if (got.length === 6) break;
  }
  assertEquals(got.sort(), ["", "aa", "bb", "c", "dd", "ee"]);
});

Deno.test("a refused run is an error that says how many were sent", async () => {
  const gone = bind(LOOPBACK);
  const { addr } = gone;
  await gone[Symbol.asyncDispose]();
  await using client = await connect(addr, { carrier });
  const error = await client.sendRun(new Uint8Array(1000), 10)
    .catch((error) => error);
  assertEquals(error instanceof Deno.errors.ConnectionRefused, true);
  const { sent, sendFailed, sending } = client.stats;
  assertEquals([error.sent, sent + sendFailed, sending], [sent, 100, 0]);
});

Deno.test("where packets hold 1,500 bytes, runs of any segment size arrive whole", async () => {
  const sizes = ["1", "100", "1472", "1473", "8000", "30000"];
  const flags = ["--allow-net=127.0.0.1,[::1]", "--allow-ffi"];
  const run = ["tests/process/support/narrow_runs.ts", ...sizes];
  const deno = [Deno.execPath(), "run", ...flags, ...run];
  const narrow = ['ip link set lo mtu 1500 up && exec "$@"', "sh"];
  const inside = async (...command: string[]) => {
    const args = ["-rn", "sh", "-c", ...narrow, ...command];
    const output = await new Deno.Command("unshare", { args }).output();
    const text = new TextDecoder().decode(output.stdout);
    const errors = new TextDecoder().decode(output.stderr);
    return { ...output, text, errors };
  };
  // An ordinary user may have network namespaces, but not in every container.
  if (!(await inside("true")).success) return;
  const { code, text, errors } = await inside(...deno);
  assertEquals([code, errors, text.trim().split("\n")], [0, "", sizes]);
});

/** Servers and clients whose standard error is not read, full or closed. */
import { assert, assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { Process, ROOT, startServer } from "./support/programs.ts";
import { until } from "../support/helpers.ts";

const DENO = `'${Deno.execPath()}' run --quiet --no-prompt -A`;

Deno.test("server whose standard error is not read receives all, and ends when it is told to", async () => {
  const args = ["127.0.0.1:0", "--stats-every", "1ms", "--trace"];
  await using server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", "server.ts", ...args, "--format", "raw"],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = server.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  let address: string | undefined;
  while (address === undefined) {
    said += (await reader.read()).value ?? "";
    address = /^listening on (\S+)\n/m.exec(said)?.[1];
  }
  // Nobody reads from here on. A pipe holds 64 KiB: a thousand lines.
  await using client = await connect(address);
  let printed = 0;
  const counting = (async () => {
    for await (const bytes of server.stdout) printed += bytes.length;
  })();
  for (let n = 1; n <= 3000; n++) {
    await client.send("x");
    // The system's buffer holds only a few.
    if (n % 50 === 0) await until(() => printed === n);
  }
  server.kill("SIGTERM");
  const { code } = await server.status;
  assertEquals(code, 0);
  await counting;
  assertEquals(printed, 3000);
  await reader.cancel();
});

for (
  const [what, redirection] of [
    ["full", "2>/dev/full"],
    ["closed", "2>&-"],
    ["a closed pipe", "2> >(:)"],
  ] as const
) {
  Deno.test(`server whose standard error is ${what} goes on, and exits 0`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/pli.sock`;
      const line =
        `exec ${DENO} server.ts unix:${path} --count 2 --stats-every 1ms ${redirection}`;
      await using server = new Process("bash", ["-c", line]);
      await until(() => isThere(path));
      await using client = await connect(`unix:${path}`);
      await client.send("a");
      await client.send("b");
      const { code, stdout } = await server.ended();
      assertEquals(code, 0);
      assert(/ {2}a\n.* {2}b\n$/.test(stdout), stdout);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isSocket === true;
  } catch {
    return false;
  }
}

Deno.test("server counts what the system drops, also if LD_LIBRARY_PATH is set", async () => {
  await using server = await startServer(["--timeout", "50ms"], {
    flags: ["--allow-net", "--allow-run=cat"],
    env: { LD_LIBRARY_PATH: "/nowhere" },
  });
  const { code, stderr } = await server.ended();
  assertEquals(code, 3);
  assert(/, 0 dropped by the system\n$/.test(stderr), stderr);
});

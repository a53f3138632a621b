import { assert, assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { LOOPBACK, net, SOON } from "../support/helpers.ts";
import { run } from "./support/programs.ts";

const FLAGS = [
  "--allow-net=127.0.0.1,localhost",
  "--allow-ffi",
  "--allow-read=.",
  "--allow-run",
];

Deno.test("with 1,000 sockets that wait, files, names and all sockets work, and idle CPU is low", async () => {
  const IDLE_MS = 2000;
  const script = "tests/process/support/offload_waiting.ts";
  const { code, stdout, stderr } = await run(script, ["1000", `${IDLE_MS}`], {
    flags: FLAGS,
  });
  assertEquals([code, stderr], [0, ""]);
  const { received, file, idle, alone, beside, floods } = JSON.parse(stdout);
  assertEquals(received, 1000);
  assert(file > 0 && floods > 0, stdout);
  assert(idle < 0.005 * IDLE_MS, stdout);
  // A flood takes at most the time between two turns.
  assert(beside < alone + 10, stdout);
});

Deno.test("a program ends within milliseconds of its last socket", async () => {
  const script = "tests/process/support/offload_end.ts";
  for (const what of ["close", "unref", "timeout"]) {
    const { code, stdout } = await run(script, [what], { flags: FLAGS });
    assertEquals(code, 0);
    const ms = Date.now() - Number(stdout);
    // It includes the end of the process; the longest wait in a thread is 1 s.
    assert(ms < 500, `${what}: ${ms} ms`);
  }
});

Deno.test("sockets that wait for each other in one program all make progress", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = Array.from(
    { length: 40 },
    () => stack.use(bind(LOOPBACK, { carrier: offload() })),
  );
  for (const server of servers) {
    (async () => {
      for await (const { data, from } of server) await server.send(data, from);
    })();
  }
  await Promise.all(servers.map(async ({ addr }) => {
    await using client = await connect(addr, { carrier: offload() });
    for (let n = 0; n < 20; n++) {
      await client.send(`${n}`);
      assertEquals((await client.receive(SOON)).text(), `${n}`);
    }
  }));
});

Deno.test("sockets work while all threads of Deno's pool are busy", async () => {
  const script = "tests/process/support/offload_busy_pool.ts";
  const { code, stdout } = await run(script, [], { flags: FLAGS });
  assertEquals([code, stdout], [0, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"]);
});

Deno.test("datagrams that were read ahead when a socket is closed are counted", async () => {
  const bound = offload().listen(net("127.0.0.1", 0));
  await using client = await connect(
    `udp://127.0.0.1:${(bound.addr as Deno.NetAddr).port}`,
    { carrier: offload() },
  );
  await client.sendRun("x".repeat(100), 1);
  const runs = await bound.receiveBatch!();
  const received = runs.reduce((sum, { count }) => sum + count, 0);
  assertEquals(bound.drops!(), {});
  bound.close();
  await bound.closed;
  const { closed = 0 } = bound.drops!();
  // What the kernel still has is not the carrier's; before Linux 6.9 its runs were
  // of up to 64.
  assert([64, 100].includes(received + closed), `${received} and ${closed}`);
});

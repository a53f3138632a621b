import { assert, assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { LOOPBACK, net, SOON, until } from "../support/helpers.ts";
import { Program, run } from "./support/programs.ts";

const FLAGS = [
  "--allow-net=127.0.0.1,localhost",
  "--allow-ffi",
  "--allow-read=.",
  "--allow-run",
];

Deno.test("with 1,000 sockets that wait, files, names and all sockets work, and nothing polls", async () => {
  const COUNT = 1000;
  const script = "tests/process/support/offload_waiting.ts";
  const goOn = new TransformStream<Uint8Array, Uint8Array>();
  await using program = new Program(script, [`${COUNT}`], {
    flags: FLAGS,
    stdin: goOn.readable,
    // Ends it if the flood has it all to itself.
    under: ["prlimit", "--cpu=100"],
  });
  await program.said(/^waiting$/);
  await until(async () => (await threadsOf(program.pid)).areAsleep);
  const before = await threadsOf(program.pid);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const wakes = (await threadsOf(program.pid)).wakes - before.wakes;
  await goOn.writable.close();
  const { code, stdout, stderr } = await program.ended();
  assertEquals([code, stderr], [0, "waiting\n"]);
  const { received, file, beside, floods } = JSON.parse(stdout);
  assertEquals(received, COUNT);
  assert(file > 0 && beside > 0 && floods > 0, stdout);
  // One thread wakes once a second, whatever the number of sockets.
  assert(wakes < COUNT / 2, `${wakes} wakes`);
});

Deno.test("the thread that waits is woken when a program has nothing left to wait for", async () => {
  const script = "tests/process/support/offload_end.ts";
  for (const what of ["close", "unref", "timeout"]) {
    const { code, stdout, stderr } = await run(script, [what], {
      flags: FLAGS,
    });
    assertEquals([code, stdout, stderr], [0, "1\n", ""], what);
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

/** Whether all threads of a process sleep, and how often one went to sleep. */
async function threadsOf(pid: number) {
  const shown = 'cat /proc/"$0"/task/*/status';
  const command = new Deno.Command("sh", { args: ["-c", shown, `${pid}`] });
  const text = new TextDecoder().decode((await command.output()).stdout);
  const states = [...text.matchAll(/^State:\t(.)/gm)].map(([, state]) => state);
  const switches = [...text.matchAll(/^voluntary_ctxt_switches:\t(\d+)$/gm)];
  return {
    areAsleep: states.length > 0 && states.every((state) => state === "S"),
    wakes: switches.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

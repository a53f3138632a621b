/** How programs with sockets over node:dgram end, on each runtime. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind } from "../../mod.ts";
import { COPY, copyProject, run } from "./support/project_copy.ts";
import { RUNTIMES } from "./support/runtimes.ts";

const SENT = 50;
const SOON = { timeoutMs: 30_000 };

await copyProject();
const { node, bun } = RUNTIMES;

const COMMANDS = [
  ["Deno", [Deno.execPath(), "run", "--quiet", "-A", "--no-config"]],
  [node.title, [node.path]],
  [bun.title, [bun.path]],
] as const;

for (const [title, [program, ...flags]] of COMMANDS) {
  const ends = async (...args: string[]) => {
    const path = `${COPY}/tests/interop/runtimes/ends.mjs`;
    const ended = await run(program, [
      ...flags,
      path,
      `${COPY}/mod.ts`,
      ...args,
    ]);
    assertEquals([ended.code, text(ended.stderr)], [0, ""]);
    return text(ended.stdout);
  };

  Deno.test(`${title}: a program ends although a socket waits that is unreferenced`, async () => {
    assertEquals(await ends("unref"), "");
  });

  Deno.test(`${title}: a link-local peer is answered at the address that it is told by`, async () => {
    const told = JSON.parse(await ends("link"));
    if (told === null) return console.log("no interface has such an address");
    console.log(told);
    assertEquals(told.answer, "!");
    assertEquals(told.from.split("%")[0], told.host.split("%")[0]);
  });

  Deno.test(`${title}: what a program has sent before its end arrives`, async () => {
    await using receiver = bind("udp://127.0.0.1:0");
    const receiving = texts(receiver, SENT);
    await ends("send", `${receiver.addr.port}`);
    assertEquals(
      await receiving,
      Array.from({ length: SENT }, (_, n) => `${n}`),
    );
  });

  Deno.test(`${title}: each send is counted when its socket is closed, and as sent if it arrived`, async () => {
    await using receiver = bind("udp://127.0.0.1:0");
    const out = await ends("close", `${receiver.addr.port}`);
    const { sent, sendFailed, sending } = JSON.parse(out);
    assertEquals([sent + sendFailed, sending], [SENT, 0]);
    assertEquals((await texts(receiver, sent)).length, sent);
    assert(sent > 0);
  });
}

for (const { title, path } of [node, bun]) {
  for (const program of ["server.ts", "client.ts"]) {
    Deno.test(`${title}: ${program} says in one line that it needs Deno`, async () => {
      const { code, stdout, stderr } = await run(path, [
        `${Deno.cwd()}/${program}`,
        "127.0.0.1:0",
      ]);
      assertEquals([code, text(stdout)], [1, ""]);
      assertMatch(text(stderr), /^\S+ needs Deno, and this is [^\n]+\n$/);
    });
  }
}

/** Receives so many messages. */
async function texts(
  socket: ReturnType<typeof bind>,
  count: number,
): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) {
    received.push((await socket.receive(SOON)).text());
  }
  return received;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

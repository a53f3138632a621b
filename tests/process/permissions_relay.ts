/** The commands that the relay and the history print: they work. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect, serve } from "../../mod.ts";
import {
  inFolder,
  inParallel,
  printedBy,
  PROJECT,
  typed,
} from "./support/commands.ts";
import { Program } from "./support/programs.ts";

const RELAYS = [
  ["127.0.0.2:0", "127.0.0.3:0"],
  ["localhost:0", "localhost:0"],
  ["[::1]:0", "127.0.0.1:0"],
  ["0.0.0.0:0", "[::1]:0"],
] as const;

Deno.test("each command that relay prints works", () =>
  inParallel(RELAYS, ([listen, to]) =>
    inFolder(async (folder) => {
      await using listening = serve(to, ({ data }) => data);
      const args = [
        ...[
          "--listen",
          listen,
          "--to",
          to.replace(/0$/, `${listening.addr.port}`),
        ],
        ...["--loss", "0%", "--delay", "1ms", "--stats-every", "10s"],
      ];
      const command = await printedBy("lib/programs/relay.ts", args, folder);
      await using program = typed(command, folder);
      const [, from = ""] = await program.said(/^relaying (\S+) to /);
      await using socket = await connect(from.replace("0.0.0.0", "127.0.0.1"));
      await socket.request("ping", { timeoutMs: 10_000, retries: 9 });
      program.kill("SIGINT");
      const { code, stderr } = await program.ended();
      assertEquals(code, 0);
      assertMatch(stderr, /0 datagrams dropped by the system\n$/);
    })));

Deno.test("the command of history works, and does not need to write", () =>
  inFolder(async (folder) => {
    await using program = new Program(`${PROJECT}server.ts`, [
      ...["127.0.0.1:0", "--once", "--store", "a,b.db"],
    ], { cwd: folder, flags: ["-A"], env: { INIT_CWD: "" } });
    const [, address = ""] = await program.said(/^listening on (\S+)$/);
    await using socket = await connect(address);
    await socket.send("stored");
    assertEquals((await program.ended()).code, 0);
    const args = ["a,b.db", "--since", "1h", "--from", "127.0.0.1"];
    const options = [...args, "--count", "1", "--format", "hex"];
    const command = await printedBy("lib/programs/history.ts", options, folder);
    assertEquals(command.includes("--allow-write"), false);
    await using history = typed(command, folder);
    const { code, stdout } = await history.ended();
    assertEquals(code, 0);
    assertMatch(stdout, /73746f726564\n$/);
  }));

Deno.test("the commands of relay --record and of replay work", () =>
  inFolder(async (folder) => {
    await using listening = serve("127.0.0.1:0", ({ data }) => data);
    const to = ["--to", `127.0.0.1:${listening.addr.port}`];
    const recording = ["--listen", "127.0.0.1:0", ...to, "--record", "a, b"];
    const relay = "lib/programs/relay.ts";
    const command = await printedBy(relay, recording, folder);
    await using program = typed(command, folder);
    const [, from = ""] = await program.said(/^relaying (\S+) to /);
    await using socket = await connect(from);
    await socket.request("ping", { timeoutMs: 10_000, retries: 9 });
    program.kill("SIGINT");
    const { code, stderr } = await program.ended();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /\nrecorded \d+ datagrams\n$/);
    const { received } = listening.stats;

    const args = ["a, b", ...to, "--from", "127.0.0.0/8"];
    const again = await printedBy("lib/programs/replay.ts", args, folder);
    await using replay = typed(again, folder);
    const ended = await replay.ended();
    assertEquals(ended.code, 0, ended.stderr);
    // What the relay sent to the client is in its capture too.
    assertMatch(ended.stderr, /\nsent \d+ datagrams /);
    while (listening.stats.received < received + 2) {
      await new Promise((go) => setTimeout(go, 1));
    }
  }));

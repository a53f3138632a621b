/** The tasks of deno.json: their permissions suffice, in any folder. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { bind, connect } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import {
  inFolder,
  inParallel,
  LIMIT,
  printedBy,
  PROJECT,
  typed,
} from "./support/commands.ts";
import { Process } from "./support/programs.ts";

const CERTIFICATE = ["--cert", "cert.pem", "--key", "key.pem"];

const TASKS: [task: string, args: string[], says: RegExp][] = [
  ["server", ["0.0.0.0:0", "--timeout", "50ms"], /^listening on udp:\/\/0/],
  ["client", ["--to", "0.0.0.0:9", "x"], /the unspecified address/],
  ["relay", ["--listen", "0.0.0.0:0", "--to", "0.0.0.0:9"], /unspecified/],
  ["reflect", ["192.0.2.1:9"], /^Cannot bind udp:\/\/192\.0\.2\.1:9: /],
  [
    "measure",
    ["127.0.0.1:9", "--packets", "no/such.csv"],
    /^Cannot write --packets "no\/such\.csv"/,
  ],
  ["history", ["no/such.db"], /^Cannot read messages from "no\/such\.db"/],
  ["cert", ["--out", "README.md"], /README\.md/],
];

Deno.test("the command that a task prints in another folder works there", () =>
  inParallel(TASKS, async ([task, args, says]) => {
    const cwd = `${PROJECT}docs`;
    const run = ["task", "--quiet", task, ...args];
    // Deno does not set the variable again in a task of a task.
    const deno = ["-u", "INIT_CWD", Deno.execPath()];
    await using first = new Process("env", [...deno, ...run], { cwd });
    const { code, stderr } = await first.ended();
    assertEquals(code, 2, stderr);
    const [, command] = /; run: (\(cd .*\))\n$/.exec(stderr) ?? [];
    assert(command !== undefined, stderr);
    await using again = typed(command, cwd);
    assertMatch((await again.ended()).stderr, says);
  }));

/** Runs a task's own command in another folder than the project's. */
function task(name: keyof typeof config.tasks, args: string[], cwd: string) {
  const { command } = config.tasks[name] as { command: string };
  const line = command.replace(/ (\S+\.ts\b)/, ` ${PROJECT}$1`);
  return typed(`${line} ${args.join(" ")}`, cwd);
}

Deno.test("the tasks cert, server and client have the permissions for each other", () =>
  inFolder(async (folder) => {
    await using cert = task("cert", ["--force"], folder);
    assertEquals((await cert.ended()).code, 0);
    const args = ["tls://localhost:0", ...CERTIFICATE, "--echo", "--once"];
    await using program = task("server", [...args, ...LIMIT], folder);
    const [, address = ""] = await program.said(/^listening on (\S+)$/);
    const to = [
      "--to",
      address,
      "--ca",
      "cert.pem",
      "--wait",
      ...LIMIT,
      "ping",
    ];
    await using client = task("client", to, folder);
    const { code, stderr } = await client.ended();
    assertEquals(code, 0, stderr);
  }));

Deno.test("the tasks collect and history may touch one file, and that suffices", () =>
  inFolder(async (folder) => {
    const args = [
      "127.0.0.1:0",
      "--receipt",
      "--page",
      "127.0.0.1:0",
      "--once",
      ...LIMIT,
    ];
    await using program = task("collect", args, folder);
    await program.said(/^page at /);
    const [, address = ""] = await program.said(/^listening on (\S+)$/);
    await using socket = await connect(address);
    await socket.request("ping", SOON);
    const { code, stderr } = await program.ended();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /, 0 dropped by the system\n/);
    await using history = task("history", ["messages.db"], folder);
    assertMatch((await history.ended()).stdout, / {2}ping\n$/);
  }));

Deno.test("the command of cert --out works, and so do those that cert prints", () =>
  inFolder(async (folder) => {
    const args = ["--out", "made here", "--days", "2", "--host", "server.lan"];
    const command = await printedBy(
      "lib/programs/cert.ts",
      [...args, "--force"],
      folder,
    );
    await using cert = typed(command, folder);
    const { code, stdout } = await cert.ended();
    assertEquals(code, 0);
    const [serving, sending] = stdout.trimEnd().split("\n");
    // The port that they name may be in use.
    const free = bind("127.0.0.1:0");
    const { port } = free.addr;
    free.close();
    const atPort = (line = "") => line.replaceAll("62443", `${port}`);
    await using program = typed(`${atPort(serving)} --once`, folder);
    await program.said(/^listening on /);
    await using client = typed(atPort(sending), folder);
    assertEquals((await client.ended()).code, 0);
    assertMatch((await program.ended()).stdout, / {2}Bonjour\n$/);
  }));

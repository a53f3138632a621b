/** The service unit: what systemd says of it, and what its command does. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openStore } from "../../lib/sinks/store.ts";
import { connect } from "../../mod.ts";
import { Process, ROOT } from "../process/support/programs.ts";
import { testsWhere } from "./support/peers.ts";

const PATH = new URL("packaging/pli-server.service", ROOT);
const DENO = "/usr/local/bin/deno";
const UNIT = (await Deno.readTextFile(PATH)).replaceAll("\\\n", "");

/** The values of a setting, in order. */
function settings(name: string): string[] {
  return Array.from(
    UNIT.matchAll(new RegExp(`^${name}=(.*)$`, "gm")),
    ([, value = ""]) => value,
  );
}

/** What `systemd-analyze` prints. It only reads. */
async function analyze(...args: string[]): Promise<string> {
  await using program = new Process("systemd-analyze", args);
  const { code, stdout, stderr } = await program.ended();
  assertEquals(code, 0, stderr);
  return stderr + stdout;
}

const test = await testsWhere("command -v systemd-analyze", "systemd");

test("systemd accepts the unit, and finds little that it is exposed to", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // It also checks that there is such a program.
    const file = `${folder}/pli-server.service`;
    await Deno.writeTextFile(file, UNIT.replace(DENO, Deno.execPath()));
    // It warns of other units of the system, too.
    const warnings = (await analyze("verify", "--man=no", file)).split("\n")
      .filter((line) => line.includes("pli-server"));
    assertEquals(warnings, []);
    const options = ["--offline=true", "--threshold=20", "--no-pager"];
    const exposure = await analyze("security", ...options, file);
    assertMatch(
      exposure,
      /Overall exposure level for pli-server\.service: 1\.\d OK/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the unit's command listens, stores, and ends at SIGTERM with totals and 0", async () => {
  const [start = ""] = settings("ExecStart");
  // No test has a fixed port. The paths are those of this machine.
  const [command = "", ...args] = start
    .replace(DENO, Deno.execPath())
    .replaceAll("/opt/pli", ROOT.pathname.slice(0, -1))
    .replaceAll(":62000", ":0")
    .split(/ +/);
  const folder = await Deno.makeTempDir();
  try {
    await using server = new Process(command, args, { cwd: folder });
    const [, address = ""] = await server.said(/^listening on (\S+)$/);
    await using client = await connect(address);
    await client.sendMany(["Bonjour", "je vous envoi", "un message !"]);
    server.kill("SIGTERM");
    const { code, stdout, stderr } = await server.ended();
    console.log(stderr.trimEnd());
    assertMatch(stderr, /^received 3 messages/m);
    assert(!stderr.includes("permission"), stderr);
    assertEquals([code, stdout.split("\n").length], [0, 4]);
    const store = await openStore(`${folder}/messages.db`);
    const texts = store.after(0, 10).map(({ datagram }) => datagram.text());
    await store.close();
    assertEquals(texts, ["Bonjour", "je vous envoi", "un message !"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

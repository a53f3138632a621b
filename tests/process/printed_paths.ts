/**
 * The commands that the programs print if a permission is missing, when they are
 * pasted into a shell: whatever is in a path or a value, they do what was asked.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { escapeControls } from "../../mod.ts";
import { inFolder, inParallel, LIMIT, printedBy } from "./support/commands.ts";
import { PROJECT, typed } from "./support/commands.ts";
import { Process, Program } from "./support/programs.ts";

const PATHS = [
  "a,b",
  "a,b/c,d",
  "-dash",
  ' it\'s $HOME `id` "x" \\ %s%% ',
  "~*?[a] ! # ; & | < > (x) {y} =",
  "lines\n\n-and more\n",
  "\x1b[2J\t\u202eé\u2028\u{1f600}",
];

const encoder = new TextEncoder();

/** Every other path is absolute, the others are relative to the user's folder. */
const ROWS = PATHS.map((path, i) => ({ path, isAbsolute: i % 2 === 1 }));

Deno.test("each printed command works as it is pasted, with any path", () =>
  inParallel(ROWS, ({ path, isAbsolute }) =>
    inFolder(async (parent) => {
      const folder = `${parent}/${path}`;
      await Deno.mkdir(folder, { recursive: true });
      const near = isAbsolute ? `${folder}/` : "";
      if (path.includes("/")) await Deno.mkdir(`${folder}/a,b`);
      const [socket, store, file] = [path, `${path}.db`, `${path}.txt`]
        .map((name) => near + name);
      await Deno.writeTextFile(`${folder}/${path}.txt`, path);

      const serve = [`unix:${socket}`, "--once", `--store=${store}`, ...LIMIT];
      await using server = typed(
        await printedBy("server.ts", serve, folder),
        folder,
      );
      await server.said(/^listening on /);
      const send = ["--to", `unix:${socket}`, `--file=${file}`];
      await using client = typed(
        await printedBy("client.ts", send, folder),
        folder,
      );
      assertEquals((await client.ended()).code, 0);
      assertEquals((await server.ended()).code, 0);

      const read = ["--format", "raw", "--", store!];
      await using history = typed(
        await printedBy("lib/programs/history.ts", read, folder),
        folder,
      );
      const { code, stdout, stderr } = await history.ended();
      assertEquals([code, stdout], [0, path], stderr);
    })));

Deno.test("a printed command sends each message as it was given", () =>
  inFolder(async (folder) => {
    const messages = [...PATHS, "", "--", "-x"];
    const socket = `unix:${folder}/x`;
    const args = [socket, "--format", "raw", "--count", `${messages.length}`];
    await using server = new Program("server.ts", [...args, ...LIMIT], {
      flags: ["-A"],
    });
    await server.said(/^listening on /);
    const command = await printedBy(
      "client.ts",
      ["--to", socket, "--", ...messages],
      folder,
    );
    assertEquals(escapeControls(command), command);
    await using client = typed(command, folder);
    assertEquals((await client.ended()).code, 0);
    const { bytes } = await server.ended();
    assertEquals(bytes, encoder.encode(messages.join("")));
  }));

Deno.test("cert prints commands that work with any path", () =>
  inParallel(PATHS, (out) =>
    inFolder(async (folder) => {
      const program = "lib/programs/cert.ts";
      const command = await printedBy(program, [`--out=${out}`], folder);
      await using cert = typed(command, folder);
      const { code, stdout, stderr } = await cert.ended();
      assertEquals(code, 0, stderr);
      const lines = stdout.split("\n");
      assertEquals(lines.map(escapeControls), lines);
      // It reads the certificate, and fails at an address of no machine.
      const elsewhere = lines[0]!.replaceAll(
        "127.0.0.1:62443",
        "192.0.2.1:443",
      );
      await using server = typed(elsewhere, folder);
      assertMatch((await server.ended()).stderr, /^Cannot bind quic:/);
    })));

Deno.test("printed commands work in a project in any folder", () =>
  inParallel(PATHS, (path) =>
    inFolder(async (parent) => {
      // The programs are below and elsewhere, as seen from the user's folder.
      const project = `${parent}/${path}/`;
      await Deno.mkdir(project, { recursive: true });
      const files = ["lib", "server.ts", "deno.json", "deno.lock"];
      const sources = files.map((file) => PROJECT + file);
      await using copy = new Process("cp", ["-r", ...sources, project]);
      assertEquals((await copy.ended()).code, 0);
      for (const cwd of [parent, project]) {
        const args = ["127.0.0.2:0", "--timeout", "1ms"];
        const command = await printedBy("server.ts", args, cwd, project);
        await using server = typed(command, cwd);
        const { code, stderr } = await server.ended();
        assertEquals(code, 3, stderr);
      }
    })));

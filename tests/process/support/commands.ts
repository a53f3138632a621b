/** Runs the commands that the programs print, as a user would. */
import { assert, assertEquals } from "@std/assert";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { certificate } from "../../support/certificates.ts";
import { Process, Program, ROOT } from "./programs.ts";

/** The path of the project's folder, with a slash at its end. */
export const PROJECT = fileURLToPath(ROOT);

/** Ends a program that a failed test leaves behind. */
export const LIMIT = ["--timeout", "30s"];

const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;

/** A folder that is not the project's, with files that options may name. */
export async function inFolder(
  test: (folder: string, cert: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const { cert, key } = await certificate();
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    await Deno.writeTextFile(`${folder}/secret`, "s3cret\n");
    await Deno.writeTextFile(`${folder}/it's, a file`, "content");
    await test(folder, cert);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a test for each row, a few at a time. Errors name their row. */
export async function inParallel<R>(
  rows: readonly R[],
  test: (row: R) => Promise<void>,
): Promise<void> {
  const left = rows.values();
  const lane = async () => {
    for (const row of left) {
      try {
        await test(row);
      } catch (cause) {
        throw new Error(`in the row ${JSON.stringify(row)}`, { cause });
      }
    }
  };
  const lanes = await Promise.allSettled([lane(), lane(), lane(), lane()]);
  const failed = lanes.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** Runs a program without permissions, and returns the command that it prints. */
export async function printedBy(
  script: string,
  args: string[],
  cwd: string,
  project = PROJECT,
): Promise<string> {
  const start = { flags: [], cwd, env: { INIT_CWD: cwd } };
  await using program = new Program(project + script, args, start);
  const { code, stderr } = await program.ended();
  assertEquals(code, 2, stderr);
  const [, command] = /^Cannot [^\n]* without permission; run: ([^\n]*)\n$/
    .exec(stderr) ?? [];
  assert(command !== undefined, stderr);
  return command.replace(/, with the URL's credentials in .*$/, "");
}

/** Runs a command as if a user typed it in that folder. */
export function typed(
  command: string,
  cwd: string,
  env: Record<string, string> = {},
): Process {
  // Without a shell in between, which would not pass a signal on.
  const line = command.startsWith("deno ") ? `exec ${command}` : command;
  return new Process("sh", ["-c", line], {
    cwd,
    env: { PATH, INIT_CWD: "", ...env },
  });
}

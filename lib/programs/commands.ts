import { readByCat } from "../carriers/cat.ts";
import { count } from "../count.ts";
import { quote } from "../errors.ts";
import { turned, turnIsDue } from "../turns.ts";
import { reasonOf } from "../warnings.ts";
import { Lines } from "./lines.ts";

// A longer line is no command.
const MAX_LINE = 1000;

/** What {@linkcode followCommands} calls. */
export interface CommandUser {
  /** Carries a command out. An error is reported as one line. */
  execute: (command: string) => void;
  report: (line: string) => void;
}

/**
 * Carries out the lines of an input, until it ends or fails. Never throws: the
 * program goes on without them.
 */
export async function followCommands(
  input: AsyncIterable<Uint8Array>,
  { execute, report }: CommandUser,
): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const { bytes, size } of new Lines(input, MAX_LINE)) {
      if (turnIsDue()) await turned();
      if (bytes === undefined) {
        const length = `${count(size, "byte")}, at most ${MAX_LINE}`;
        report(`a line of standard input is too long: ${length}`);
        continue;
      }
      try {
        execute(decoder.decode(bytes));
      } catch (error) {
        report(reasonOf(error));
      }
    }
  } catch (error) {
    report(`no more commands from standard input: ${quote(reasonOf(error))}`);
  }
}

/**
 * Returns whether the program is in the background of its terminal: reading
 * standard input would stop it (SIGTTIN). Without `--allow-run=cat`, and on other
 * systems than Linux, that is not known, and the result is false.
 */
export async function isInBackground(): Promise<boolean> {
  if (Deno.build.os !== "linux" || !Deno.stdin.isTerminal()) return false;
  // It is in the same group of processes (proc_pid_stat(5)). Nothing waits for it
  // but the first command.
  const text = await readByCat("/proc/self/stat");
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const [_state, _parent, group, _session, _terminal, foreground] = fields;
  return foreground !== undefined && foreground !== group;
}

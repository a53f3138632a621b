import { setColorEnabled } from "@std/fmt/colors";
import config from "../../deno.json" with { type: "json" };
import { InvalidAddressError } from "../errors.ts";
import { printLine } from "../warnings.ts";
import { UsageError } from "./options.ts";

/** What the programs end with. */
export const EXIT = {
  done: 0,
  usage: 1,
  notOpened: 2,
  timedOut: 3,
  notSent: 4,
} as const;

/** The version, as `--version` prints it. */
export const VERSION = `pli ${config.version}`;

/** Prints one line on standard error, control characters escaped. */
export const say = printLine;

/**
 * Runs a program and ends the process with its exit code. An error is one line
 * on standard error; colours are for terminals, unless NO_COLOR is set.
 *
 * @param name As in "see `deno task NAME --help`".
 */
export async function runProgram(
  name: string,
  program: () => Promise<number>,
): Promise<never> {
  setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
  try {
    Deno.exit(await program());
  } catch (error) {
    // Whoever read standard output has enough.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.done);
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) {
      say(`${message} (see: deno task ${name} --help)`);
      Deno.exit(EXIT.usage);
    }
    say(message);
    Deno.exit(
      error instanceof InvalidAddressError ? EXIT.usage : EXIT.notOpened,
    );
  }
}

/** Calls back when the user asks the program to end (Ctrl-C, `kill`). */
export function onInterrupt(callback: () => void): Disposable {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, callback);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, callback);
    },
  };
}

import { setColorEnabled } from "@std/fmt/colors";
import config from "../../deno.json" with { type: "json" };
import { InvalidAddressError } from "../errors.ts";
import { printLine, reasonOf } from "../warnings.ts";
import { UsageError } from "./options.ts";
import { StandardError } from "./standard_error.ts";

/** The exit codes of the programs. */
export const EXIT = {
  done: 0,
  usage: 1,
  notOpened: 2,
  timedOut: 3,
  notSent: 4,
  failed: 5,
} as const;

/** The version, as `--version` prints it. */
export const VERSION: string = `pli ${config.version}`;

// How long the end waits for a reader of standard error.
const LAST_LINES_MS = 500;
const standardError = new StandardError();

/** Prints one line on standard error, control characters escaped. */
export const say: (line: string) => void = printLine;

/** As {@linkcode StandardError.show}, if standard error is a terminal. */
export function show(text: string): void {
  if (Deno.stderr.isTerminal()) standardError.show(text);
}

/** As {@linkcode StandardError.aside}. */
export function aside<T>(write: () => Promise<T>): Promise<T> {
  return standardError.aside(write);
}

/**
 * Prints the help or the version, if that is what the user asked for.
 *
 * @returns Whether it was.
 */
export function isAnswered(
  flags: { readonly help: boolean; readonly version: boolean },
  help: string,
): boolean {
  if (!flags.help && !flags.version) return false;
  console.log(flags.help ? help : VERSION);
  return true;
}

/**
 * Runs a program and ends the process with its exit code. An error is one line
 * on standard error; colors are for terminals, unless NO_COLOR is set.
 *
 * @param name As in "see `deno task NAME --help`".
 */
export async function runProgram(
  name: string,
  program: () => Promise<number>,
): Promise<never> {
  setColorEnabled(Deno.stdout.isTerminal() && !Deno.noColor);
  // What libraries print must not hold the program up either.
  console.error = (...parts: unknown[]) =>
    standardError.print(parts.map((part) => `${part}`).join(" "));
  return await exit(await codeOf(name, program));
}

/** Ends the process. The last lines have half a second to be written. */
export async function exit(code: number): Promise<never> {
  await said();
  Deno.exit(code);
}

/** Waits until what was said is written, for half a second at most. */
export function said(): Promise<void> {
  return standardError.flush(LAST_LINES_MS);
}

async function codeOf(
  name: string,
  program: () => Promise<number>,
): Promise<number> {
  try {
    return await program();
  } catch (error) {
    // The reader of standard output has closed it.
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.done;
    if (error instanceof UsageError) {
      say(`${withoutCredentials(error)} (see: deno task ${name} --help)`);
      return EXIT.usage;
    }
    if (error instanceof InvalidAddressError) {
      say(withoutCredentials(error));
      return EXIT.usage;
    }
    say(reasonOf(error));
    return EXIT.notOpened;
  }
}

/** Hides what stands before an `@` in what was typed: it may be a password. */
function withoutCredentials({ message }: Error): string {
  if (message.includes('"unix:')) return message;
  const inUrl = message.replace(/(?<=:\/\/).*@/s, "…@");
  return inUrl === message ? message.replace(/(?<=").*@/s, "…@") : inUrl;
}

/** The signals that end a program, and their numbers. */
const SIGNALS: readonly (readonly [Deno.Signal, number])[] =
  Deno.build.os === "windows"
    ? [["SIGINT", 2], ["SIGBREAK", 21]]
    : [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]];

// Signals that come together are one: at Ctrl-C the terminal sends SIGINT to the
// whole group, and `deno task` passes it on as well.
const TOGETHER_MS = 200;

/**
 * Listens for signals that ask the program to end: Ctrl-C, `kill`, a terminal
 * that is closed.
 *
 * @param end Called with the first one.
 * @param endAtOnce Called with the exit code for each that comes 200 ms later or
 * more.
 */
export function onInterrupt(
  end: () => void,
  endAtOnce: (code: number) => void = (code) => void exit(code),
): Disposable {
  let firstAt: number | undefined;
  const listeners = SIGNALS.map(([signal, number]) => {
    const listener = () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        end();
      } else if (performance.now() - firstAt >= TOGETHER_MS) {
        endAtOnce(128 + number);
      }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return {
    [Symbol.dispose]() {
      for (const remove of listeners) remove();
    },
  };
}

import { escapeControls } from "./escape.ts";
import { isThenable } from "./promises.ts";

const MAX_KINDS = 20;

/**
 * Reports problems, one line per kind until that kind is over, so that a flood
 * of errors floods neither a terminal nor a log.
 */
export class Warnings {
  readonly #report: (line: string) => void;
  readonly #open = new Set<string>();

  /**
   * @param report Called with each line, control characters escaped. If it
   * throws, its error is printed, and the warnings go on.
   */
  constructor(report: (line: string) => void = printLine) {
    this.#report = report;
  }

  /** Reports a line, unless its kind was reported before and is not over. */
  once(kind: string, line: string = kind): void {
    if (this.#open.has(kind) || this.#open.size >= MAX_KINDS) return;
    this.#open.add(kind);
    this.note(line);
    if (this.#open.size === MAX_KINDS) {
      this.note("further errors are only counted");
    }
  }

  /**
   * Reports a line, unless one was reported that differs only in numbers, such as
   * the ports of peers.
   */
  onceAlike(line: string): void {
    this.once(line.replace(/\d+/g, "#"), line);
  }

  /** Reports a line in any case. */
  note(line: string): void {
    try {
      this.#report(escapeControls(line));
    } catch (error) {
      printLine(lineOf(error));
    }
  }

  /**
   * Ends a kind: the next line of it is reported again.
   *
   * @returns Whether the kind had been reported.
   */
  over(kind: string): boolean {
    return this.#open.delete(kind);
  }

  /** Ends every kind. */
  allOver(): void {
    this.#open.clear();
  }
}

/**
 * Returns a function that passes errors to a callback, or without a callback
 * prints each kind of error once. It never throws: an error of the callback,
 * also of an asynchronous one, is printed.
 */
export function reporter<Rest extends unknown[]>(
  onError: ((error: unknown, ...rest: Rest) => void) | undefined,
): (error: unknown, ...rest: Rest) => void {
  const warnings = new Warnings();
  const print = (error: unknown) => warnings.onceAlike(lineOf(error));
  return (error, ...rest) => {
    if (onError === undefined) return print(error);
    try {
      const result: unknown = onError(error, ...rest);
      if (isThenable(result)) Promise.resolve(result).catch(print);
    } catch (thrown) {
      print(thrown);
    }
  };
}

/** Returns the message of an error, or whatever was thrown as text. */
export function reasonOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "an error that has no text";
  }
}

function lineOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
  } catch {
    // Its name or its message cannot be read.
  }
  return reasonOf(thrown);
}

/**
 * Prints one line on the console, control characters escaped. A console that
 * cannot be written (a full disk, a closed terminal) is tolerated: a report that
 * fails must not end what it reports on.
 */
export function printLine(line: string): void {
  try {
    console.error(escapeControls(line));
  } catch {
    // There is nowhere left to report this.
  }
}

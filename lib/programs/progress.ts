import { escapeControls } from "../escape.ts";
import { show } from "./program.ts";

// What takes no longer needs no progress line.
const QUIET_MS = 2000;
const EVERY_MS = 500;
const COLUMNS = 80;

/**
 * Shows on standard error, if that is a terminal, how far something is: one line,
 * below all others, that changes twice per second. It appears when the thing has
 * taken two seconds, and goes when it is over.
 *
 * @param describe Returns the line; `undefined` while nothing is to be done.
 * @param isQuiet Whether the user wants none.
 * @returns What ends it.
 */
export function showProgress(
  describe: () => string | undefined,
  isQuiet: boolean,
): Disposable {
  if (isQuiet || !Deno.stderr.isTerminal()) return { [Symbol.dispose]() {} };
  let since = performance.now();
  const timer = setInterval(() => {
    const text = describe();
    const now = performance.now();
    if (text === undefined) since = now;
    const ms = now - since;
    if (text === undefined || ms < QUIET_MS) return show("");
    show(lineOf(`${Math.floor(ms / 1000)} s: ${text}`, columns()));
  }, EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      show("");
    },
  };
}

/** Cuts a text so that it takes one line of a terminal. */
function lineOf(text: string, columns: number): string {
  const line = escapeControls(text);
  return line.length < columns
    ? line
    : `${line.slice(0, Math.max(columns - 2, 0))}…`;
}

/** How wide the terminal is now. */
function columns(): number {
  try {
    // A terminal that does not know says 0.
    return Deno.consoleSize().columns || COLUMNS;
  } catch {
    return COLUMNS;
  }
}

import { escapeControls } from "../escape.ts";

// What means something in the format of printf, or ends its quotes.
const IN_FORMAT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "%": "%%",
  "'": "\\047",
};

const encoder = new TextEncoder();

/** Quotes a word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Returns a command line that does the same in a POSIX shell and has no control
 * characters, so that it can be printed and typed on one line. Only a line that
 * has some is changed: then the shell's `printf` writes them.
 */
export function printable(line: string): string {
  if (escapeControls(line) === line) return line;
  const format = Array.from(line, (char) =>
    IN_FORMAT[char] ??
      (escapeControls(char) === char ? char : octal(char))).join("");
  return `eval "$(printf '${format}')"`;
}

function octal(char: string): string {
  const bytes = Array.from(encoder.encode(char));
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

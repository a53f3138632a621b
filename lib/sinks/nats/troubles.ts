import { escapeControls } from "../../escape.ts";

/** Reports what goes wrong, one line for each kind until it is over. */
export class Troubles {
  readonly #report: (line: string) => void;
  readonly #said = new Set<string>();

  constructor(report: (line: string) => void) {
    this.#report = report;
  }

  /** Reports the line, unless one of its kind was and that is not over yet. */
  say(kind: string, line: string): void {
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    this.note(line);
  }

  /** Reports what happens but once. */
  note(line: string): void {
    try {
      this.#report(escapeControls(line));
    } catch (error) {
      // A reporter that fails must not stop the messages.
      console.error(error);
    }
  }

  /** Ends such trouble. Returns whether there was any. */
  over(kind: string): boolean {
    return this.#said.delete(kind);
  }
}

/** What a line says of an error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { Warnings } from "../../warnings.ts";

/** What is said of one destination: each kind of trouble once until it is over. */
export class Troubles {
  readonly #text: string;
  readonly #destination: string;
  readonly #warnings: Warnings;

  constructor(
    destination: string,
    onTrouble: ((line: string) => void) | undefined,
  ) {
    this.#text = destination;
    this.#destination = `forward to ${destination}`;
    this.#warnings = new Warnings(onTrouble);
  }

  /** Reports a trouble. */
  begin(kind: string, what: string): void {
    this.#warnings.once(kind, `${this.#destination}: ${this.#brief(what)}`);
  }

  /** Leaves out where to, which stands before it. */
  #brief(what: string): string {
    return what.replace(`Cannot connect to ${this.#text}: `, "");
  }

  /** Ends a trouble. @returns Whether there was one. */
  over(kind: string): boolean {
    return this.#warnings.over(kind);
  }

  /** Reports what the destination does: "is back". */
  note(what: string): void {
    this.#warnings.note(`${this.#destination} ${what}`);
  }
}

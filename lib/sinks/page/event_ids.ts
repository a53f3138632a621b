import type { Past } from "../../sink.ts";

/**
 * The ids of events: whose numbers they are, who gave them, and the number of
 * the last message so far. A page that comes back says the last one it got.
 *
 * A server that crashes has shown messages that its store had not kept yet, and
 * the next one gives their numbers to others: so it goes on only from numbers
 * that it gave itself, or that were kept when it began.
 */
export class EventIds {
  readonly #past: Past;
  readonly #keptId: number;
  readonly #run = crypto.randomUUID().slice(0, 8);

  /** @param past As it is when the server begins. */
  constructor(past: Past) {
    this.#past = past;
    this.#keptId = past.lastId;
  }

  /** The id of an event after which all up to that number is known. */
  idOf(number: number): string {
    return `${this.#past.id}.${this.#run}-${number}`;
  }

  /** The number in an id; `undefined` where a page has to begin anew. */
  numberOf(id: string | undefined): number | undefined {
    const [, pastId, run, digits] =
      /^(.*)\.([^.]*)-(\d{1,15})$/s.exec(id ?? "") ?? [];
    const number = Number(digits);
    const known = run === this.#run ? this.#past.lastId : this.#keptId;
    return pastId === this.#past.id && number <= known ? number : undefined;
  }
}

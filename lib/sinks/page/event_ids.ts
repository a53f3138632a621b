import type { MessageLog } from "../../sink.ts";

/**
 * The ids of events. An id contains the identity of the log, an identifier of
 * this run of the server, and the number of the last message so far. A page that
 * connects again sends the id of its last event.
 *
 * A server that crashes may have shown messages that its store had not written,
 * and the next run gives their numbers to other messages. So a page continues
 * only from numbers of the same run, or from those that were stored when the run
 * began.
 */
export class EventIds {
  readonly #log: MessageLog;
  readonly #storedId: number;
  readonly #run = crypto.randomUUID().slice(0, 8);

  /** @param log The log as it is when the run begins. */
  constructor(log: MessageLog) {
    this.#log = log;
    this.#storedId = log.lastId;
  }

  /** Returns the id of an event after which a page knows all up to a number. */
  idOf(number: number): string {
    return `${this.#log.identity}.${this.#run}-${number}`;
  }

  /** Returns the number in an id; `undefined` if the page must start over. */
  numberOf(id: string | undefined): number | undefined {
    const [, identity, run, digits] =
      /^(.*)\.([^.]*)-(\d{1,15})$/s.exec(id ?? "") ?? [];
    const number = Number(digits);
    const known = run === this.#run ? this.#log.lastId : this.#storedId;
    return identity === this.#log.identity && number <= known
      ? number
      : undefined;
  }
}

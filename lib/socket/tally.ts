import {
  type Attempt,
  fieldsOf,
  SocketClosedError,
  withFields,
} from "../errors.ts";

// The errors of this many messages are kept; further ones are only counted.
const MAX_ERRORS = 16;

/** What became of the messages of one call of `sendMany`. */
export class Tally {
  /** How many messages were sent. */
  sent = 0;
  readonly #attempt: Attempt;
  readonly #errors: Error[] = [];
  #failed = 0;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  /**
   * Notes that messages could not be sent.
   *
   * @throws {SocketClosedError} That is the reason: no other can be sent either.
   */
  fail(error: Error, messages = 1): void {
    if (error instanceof SocketClosedError) throw error;
    this.#failed += messages;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
  }

  /**
   * Returns how many messages were sent.
   *
   * @throws {AggregateError} Some could not be sent.
   */
  result(): number {
    if (this.#failed === 0) return this.sent;
    const all = this.#failed + this.sent;
    const first = this.#errors[0]?.message;
    const text = `Cannot send ${this.#failed} of ${all} messages: ${first}`;
    throw withFields(
      new AggregateError(this.#errors, text),
      fieldsOf(this.#attempt),
    );
  }
}

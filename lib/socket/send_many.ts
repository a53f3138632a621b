import type { Addr } from "../addr.ts";
import type { Outgoing } from "../carrier.ts";
import { wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import { fieldsOf, SocketClosedError, withFields } from "../errors.ts";
import { reasonOf } from "../warnings.ts";
import type { Data, Outbox } from "./outbox.ts";
import { limitsOf, type WaitOptions, within } from "./waits.ts";

const BATCH_SIZE = 1024;
// The errors of this many messages are kept; further ones are only counted.
const MAX_ERRORS = 16;

/** A message and its peer. */
export interface Addressed {
  /** Bytes as they are, or text as UTF-8. Empty data is an empty datagram. */
  readonly data: Data;
  /** The peer: an address, an address as text, or `from` of a datagram. */
  readonly to: string | Addr;
}

/**
 * Sends messages in order. A message that cannot be sent does not stop the
 * others.
 *
 * @param inBatches Whether the carrier takes batches.
 * @returns How many messages were sent.
 */
export async function sendMany(
  outbox: Outbox,
  messages: Iterable<Addressed>,
  inBatches: boolean,
  clock: Clock,
  options?: WaitOptions,
): Promise<number> {
  const { attempt } = outbox;
  const limits = limitsOf(attempt, options);
  limits?.signal?.throwIfAborted();
  const sending = new Sending(outbox);
  const sent = inBatches
    ? sending.inBatches(messages)
    : sending.oneByOne(messages);
  try {
    await within(sent, clock, limits, attempt);
  } finally {
    sending.stop();
  }
  return sending.result();
}

/**
 * Checks the messages of a `sendMany`, which come from the program.
 *
 * @throws {TypeError} They cannot be iterated over.
 */
export function requireMessages(outbox: Outbox, messages: unknown): void {
  const isIterable = typeof messages === "string" ||
    typeof messages === "object" && messages !== null &&
      typeof (messages as Iterable<unknown>)[Symbol.iterator] === "function";
  if (isIterable) return;
  throw wrongType(outbox.attempt, "messages", "an iterable", messages);
}

class Sending {
  readonly #outbox: Outbox;
  readonly #errors: unknown[] = [];
  #sent = 0;
  #failed = 0;
  #isStopped = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Gives nothing more to the carrier. What it has got may still be sent. */
  stop(): void {
    this.#isStopped = true;
  }

  async oneByOne(messages: Iterable<Addressed>): Promise<void> {
    let read = 0;
    for (const { data, to } of messages) {
      try {
        await this.#outbox.send(data, to);
        this.#sent++;
      } catch (error) {
        this.#fail(error);
      }
      if (++read % BATCH_SIZE === 0) await turn();
      if (this.#isStopped) return;
    }
  }

  async inBatches(messages: Iterable<Addressed>): Promise<void> {
    let isFirst = true;
    for (const batch of this.#batches(messages)) {
      if (!isFirst) await turn();
      isFirst = false;
      await this.#sendBatch(batch);
      if (this.#isStopped) return;
    }
  }

  result(): number {
    if (this.#failed === 0) return this.#sent;
    const { attempt } = this.#outbox;
    const all = this.#failed + this.#sent;
    const first = reasonOf(this.#errors[0]);
    const text = `Cannot send ${this.#failed} of ${all} messages: ${first}`;
    throw withFields(
      new AggregateError(this.#errors, text),
      fieldsOf(attempt),
    );
  }

  /** Reads up to 1,024 messages at a time, and yields those that can be sent. */
  *#batches(messages: Iterable<Addressed>): Iterable<Outgoing[]> {
    let batch: Outgoing[] = [];
    let read = 0;
    try {
      for (const { data, to } of messages) {
        try {
          batch.push(this.#outbox.prepare(data, to));
        } catch (error) {
          this.#outbox.counts.sendFailed++;
          this.#fail(error);
        }
        if (++read % BATCH_SIZE !== 0) continue;
        const full = batch;
        batch = [];
        yield full;
      }
    } finally {
      // Whatever ended the loop, the messages that were read are sent.
      if (batch.length > 0) yield batch;
    }
  }

  async #sendBatch(batch: readonly Outgoing[]): Promise<void> {
    for (let rest = batch; rest.length > 0 && !this.#isStopped;) {
      const { sent, error } = await this.#outbox.sendBatch(rest);
      this.#sent += sent;
      if (error !== undefined) {
        this.#outbox.counts.sendFailed++;
        this.#fail(this.#outbox.failure(rest[sent], error));
      }
      rest = rest.slice(error === undefined ? sent : sent + 1);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof SocketClosedError) throw error;
    this.#failed++;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
  }
}

/** A turn of the event loop: timers and other sockets have theirs. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

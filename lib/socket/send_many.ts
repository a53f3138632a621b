import type { Addr } from "../addr.ts";
import type { Outgoing } from "../carrier.ts";
import { milliseconds } from "../check.ts";
import type { Clock } from "../clock.ts";
import { SocketClosedError } from "../errors.ts";
import type { Data, Outbox } from "./outbox.ts";
import { type WaitOptions, within } from "./waits.ts";

const BATCH_SIZE = 1024;
// Errors that are told; the others are only counted.
const MAX_ERRORS = 16;

/** A message and its peer. */
export interface Addressed {
  /** Bytes as they are, or text as UTF-8; empty is a datagram too. */
  readonly data: Data;
  /** The peer: as an address, as text, or `from` of a datagram. */
  readonly to: string | Addr;
}

/**
 * Sends messages in order. One that cannot be sent holds up no other.
 *
 * @param inBatches Whether the carrier takes batches.
 * @returns How many were sent.
 */
export async function sendMany(
  outbox: Outbox,
  messages: Iterable<Addressed>,
  inBatches: boolean,
  clock: Clock,
  { timeoutMs, signal }: WaitOptions = {},
): Promise<number> {
  const limit = milliseconds("send", "timeoutMs", timeoutMs);
  signal?.throwIfAborted();
  const sending = new Sending(outbox);
  const sent = inBatches ? sending.byBatch(messages) : sending.each(messages);
  try {
    await within(sent, clock, { timeoutMs: limit, signal });
  } finally {
    sending.stop();
  }
  return sending.result();
}

class Sending {
  readonly #outbox: Outbox;
  readonly #errors: unknown[] = [];
  #sent = 0;
  #failed = 0;
  #stopped = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** What was given to the carrier may yet be sent; no more is. */
  stop(): void {
    this.#stopped = true;
  }

  async each(messages: Iterable<Addressed>): Promise<void> {
    for (const { data, to } of messages) {
      try {
        await this.#outbox.send(data, to);
        this.#sent++;
      } catch (error) {
        this.#fail(error);
      }
      if (this.#stopped) return;
    }
  }

  async byBatch(messages: Iterable<Addressed>): Promise<void> {
    for (const batch of this.#batches(messages)) {
      await this.#sendBatch(batch);
      if (this.#stopped) return;
    }
  }

  result(): number {
    if (this.#failed === 0) return this.#sent;
    const of = this.#failed + this.#sent;
    throw new AggregateError(
      this.#errors,
      `Cannot send ${this.#failed} of ${of} messages: ${
        (this.#errors[0] as Error).message
      }`,
    );
  }

  *#batches(messages: Iterable<Addressed>): Iterable<Outgoing[]> {
    let batch: Outgoing[] = [];
    try {
      for (const { data, to } of messages) {
        try {
          batch.push(this.#outbox.prepare(data, to));
        } catch (error) {
          this.#outbox.counts.sendFailed++;
          this.#fail(error);
        }
        if (batch.length < BATCH_SIZE) continue;
        const full = batch;
        batch = [];
        yield full;
      }
    } finally {
      // Whatever ended it: what was read is sent.
      if (batch.length > 0) yield batch;
    }
  }

  async #sendBatch(batch: readonly Outgoing[]): Promise<void> {
    for (let rest = batch; rest.length > 0 && !this.#stopped;) {
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

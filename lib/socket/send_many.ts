import type { Addr } from "../addr.ts";
import { wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import { socketClosed } from "../errors.ts";
import {
  AsyncMessages,
  isAsync,
  type Messages,
  requireMessages,
  syncMessages,
} from "./iterables.ts";
import type { Data, Prepared } from "./messages.ts";
import type { Destination } from "./destinations.ts";
import { dueTurn } from "../turns.ts";
import type { Outbox } from "./outbox.ts";
import { PackedSending } from "./send_packed.ts";
import { SendTurns } from "./send_turns.ts";
import { Tally } from "./tally.ts";
import { limitsOf, type WaitOptions, within } from "./waits.ts";

const BATCH_SIZE = 1024;

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
 * @param messages From the program: they may be anything.
 * @param to The peer of all messages. @default {each message has its own}
 * @returns How many messages were sent.
 */
export async function sendMany(
  outbox: Outbox,
  messages: unknown,
  clock: Clock,
  options: WaitOptions | undefined,
  to?: Addr,
): Promise<number> {
  const { attempt } = outbox;
  const sending = new Sending(outbox, clock, to);
  try {
    requireMessages(attempt, messages);
    const limits = limitsOf(attempt, options);
    limits?.signal?.throwIfAborted();
    await within(sending.run(messages), clock, limits, attempt);
  } finally {
    sending.stop();
    // It may be a step of another loop.
    await dueTurn(clock);
  }
  return sending.tally.result();
}

class Sending {
  readonly tally: Tally;
  readonly #outbox: Outbox;
  readonly #turns: SendTurns;
  readonly #to: Addr | undefined;
  #destination: Destination | undefined;
  #isStopped = false;
  #batch: readonly Prepared[] = [];
  #onStop: (() => void) | undefined;

  constructor(outbox: Outbox, clock: Clock, to: Addr | undefined) {
    this.tally = new Tally(outbox.attempt);
    this.#outbox = outbox;
    this.#turns = new SendTurns(clock);
    this.#to = to;
  }

  run(messages: Messages): Promise<void> {
    const { attempt, sendsBatches } = this.#outbox;
    if (isAsync(messages)) {
      return this.#asTheyCome(new AsyncMessages(attempt, messages));
    }
    const read = syncMessages(attempt, messages);
    if (!sendsBatches) return this.#oneByOne(read);
    return this.#packed()?.send(read) ?? this.#inBatches(read);
  }

  /** Gives nothing more to the carrier. What it has got may still be sent. */
  stop(): void {
    this.#isStopped = true;
    this.#outbox.withdraw(this.#batch);
    this.#onStop?.();
  }

  /** All messages go to one peer, which the carrier sends runs. */
  #packed(): PackedSending | undefined {
    const outbox = this.#outbox;
    const { sendsRuns, messages } = outbox;
    if (this.#to === undefined || !sendsRuns) return undefined;
    const destination = messages.destination(this.#to);
    if (destination.isName) return undefined;
    const packed = new PackedSending({
      ...{ outbox, destination, tally: this.tally, turns: this.#turns },
      sendBatch: (batch) => this.#sendBatch(batch),
    });
    this.#onStop = () => packed.stop();
    return packed;
  }

  async #oneByOne(messages: Iterable<unknown>): Promise<void> {
    for (const message of messages) {
      const parts = this.#partsOf(message);
      if (parts !== undefined) await this.#send(parts);
      const turn = this.#turns.due();
      if (turn !== undefined) await turn;
      if (this.#isStopped) return;
    }
  }

  /**
   * Reads up to 1,024 messages at a time. A host name may take long to look up:
   * its messages are sent by themselves, so that no batch of others waits.
   */
  async #inBatches(messages: Iterable<unknown>): Promise<void> {
    let batch: Prepared[] = [];
    const flush = async () => {
      const full = batch;
      batch = [];
      await this.#sendBatch(full);
    };
    try {
      for (const message of messages) {
        const prepared = this.#prepare(message);
        if (prepared?.isForName) {
          await this.#sendAfter(flush, prepared);
        } else if (prepared !== undefined) {
          this.#outbox.counts.sending++;
          batch.push(prepared);
        }
        const turn = this.#turns.due();
        if (turn !== undefined || batch.length >= BATCH_SIZE) await flush();
        if (turn !== undefined) await turn;
        if (this.#isStopped) return;
      }
    } finally {
      // Whatever ended the loop, the messages that were read are sent.
      await flush();
    }
  }

  /** Sends a message by itself, after others. It is in `sending` meanwhile. */
  async #sendAfter(
    others: () => Promise<void>,
    message: Prepared,
  ): Promise<void> {
    const { counts } = this.#outbox;
    counts.sending++;
    try {
      await others();
    } catch (error) {
      this.#outbox.giveUp(1);
      throw error;
    }
    counts.sending--;
    await this.#send(message);
  }

  /** Sends each message when it is there. Closing the socket ends the wait. */
  #asTheyCome(messages: AsyncMessages): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const unlisten = this.#outbox.onClose(() =>
      reject(socketClosed(this.#outbox.attempt))
    );
    this.#onStop = () => {
      unlisten();
      messages.end();
    };
    this.#sendAll(messages).then(resolve, reject);
    return promise;
  }

  async #sendAll(messages: AsyncMessages): Promise<void> {
    for (;;) {
      const { done, value } = await messages.next();
      if (done) return;
      if (this.#isStopped) return void this.#outbox.counts.sendFailed++;
      const parts = this.#partsOf(value);
      if (parts !== undefined) await this.#send(parts);
      const turn = this.#turns.due();
      if (turn !== undefined) await turn;
      if (this.#isStopped) return;
    }
  }

  /** Reads a message once. If it is not a message, it counts as failed. */
  #partsOf(message: unknown): Addressed | undefined {
    if (this.#to !== undefined) return { data: message as Data, to: this.#to };
    try {
      if (typeof message === "object" && message !== null) {
        const { data, to } = message as Addressed;
        return { data, to };
      }
    } catch (error) {
      this.#outbox.counts.sendFailed++;
      throw error;
    }
    const { attempt, counts } = this.#outbox;
    counts.sendFailed++;
    this.tally.fail(wrongType(attempt, "a message", "{ data, to }", message));
    return undefined;
  }

  /** Reads and checks a message. If that fails, it counts as failed. */
  #prepare(message: unknown): Prepared | undefined {
    const parts = this.#to === undefined ? this.#partsOf(message) : undefined;
    const { messages } = this.#outbox;
    try {
      if (this.#to !== undefined) {
        // All go to one peer, whose address is checked once.
        this.#destination ??= messages.destination(this.#to);
        return messages.prepareFor(message as Data, this.#destination);
      }
      return parts && messages.prepare(parts.data, parts.to);
    } catch (error) {
      this.#outbox.counts.sendFailed++;
      this.tally.fail(error as Error);
      return undefined;
    }
  }

  async #send({ data, to }: Addressed): Promise<void> {
    try {
      await this.#outbox.send(data, to);
      this.tally.sent++;
    } catch (error) {
      this.tally.fail(error as Error);
    }
  }

  /** Sends a batch, of which the carrier may take a part at a time. */
  async #sendBatch(batch: readonly Prepared[]): Promise<void> {
    let rest = batch;
    try {
      while (rest.length > 0 && !this.#isStopped) {
        this.#batch = rest;
        const { sent, settled, error } = await this.#outbox.sendBatch(rest);
        this.tally.sent += sent;
        rest = rest.slice(settled);
        if (error !== undefined) this.tally.fail(error, settled - sent);
        const turn = this.#turns.due();
        if (turn !== undefined) await turn;
      }
    } finally {
      this.#outbox.giveUp(rest.length);
    }
  }
}

import type { Destination } from "./destinations.ts";
import { isPlainArray } from "./iterables.ts";
import type { Data, Prepared, PreparedRun } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { Pack } from "./pack.ts";
import type { SendTurns } from "./send_turns.ts";
import type { Tally } from "./tally.ts";

const BATCH_SIZE = 1024;
// Fewer messages of one length than this, among others, are no run.
const MIN_RUN = 32;

/** What {@linkcode PackedSending} needs. */
export interface PackedOptions {
  readonly outbox: Outbox;
  /** The peer of all messages. Its host is no name. */
  readonly destination: Destination;
  readonly turns: SendTurns;
  readonly tally: Tally;
  /** Sends messages of several lengths, which are in `sending` already. */
  readonly sendBatch: (batch: readonly Prepared[]) => Promise<void>;
}

/**
 * Sends messages to one peer over a carrier that sends runs: messages of one
 * length become a run while they are read, without an object for each.
 */
export class PackedSending {
  readonly #outbox: Outbox;
  readonly #destination: Destination;
  readonly #turns: SendTurns;
  readonly #tally: Tally;
  readonly #sendBatch: (batch: readonly Prepared[]) => Promise<void>;
  readonly #pack = new Pack();
  // Since a message had another length than those before it.
  #batch: Prepared[] = [];
  // A message that has to wait until the run before it is sent.
  #next: Uint8Array | undefined;
  #turn: Promise<void> | undefined;
  #run: PreparedRun | undefined;
  #isStopped = false;

  constructor(
    { outbox, destination, turns, tally, sendBatch }: PackedOptions,
  ) {
    this.#outbox = outbox;
    this.#destination = destination;
    this.#turns = turns;
    this.#tally = tally;
    this.#sendBatch = sendBatch;
  }

  /** Sends the messages. Whatever ends that, those that were read are sent. */
  async send(messages: Iterable<unknown>): Promise<void> {
    try {
      if (isPlainArray(messages)) {
        // Each step of an iterator makes an object.
        for (let i = 0; i < messages.length; i++) {
          if (this.#read(messages[i]) && await this.#pause()) return;
        }
      } else {
        for (const message of messages) {
          if (this.#read(message) && await this.#pause()) return;
        }
      }
    } finally {
      try {
        await this.#flush();
      } finally {
        this.#pack.give();
      }
    }
  }

  /** Gives nothing more to the carrier. What it has got may still be sent. */
  stop(): void {
    this.#isStopped = true;
    if (this.#run !== undefined) this.#outbox.withdraw(this.#run);
  }

  /** Reads a message. @returns Whether a pause is due before the next one. */
  #read(message: unknown): boolean {
    const bytes = this.#bytesOf(message);
    if (bytes !== undefined) {
      this.#outbox.counts.sending++;
      // The program may change it during the pause.
      if (!this.#add(bytes)) this.#next = new Uint8Array(bytes);
    }
    this.#turn = this.#turns.due();
    return this.#isStopped || this.#turn !== undefined ||
      this.#next !== undefined || this.#pack.isFull ||
      this.#batch.length >= BATCH_SIZE;
  }

  /** Sends what was read, and takes a turn if it is due. @returns Whether to stop. */
  async #pause(): Promise<boolean> {
    const next = this.#next;
    this.#next = undefined;
    try {
      await this.#flush();
    } catch (error) {
      if (next !== undefined) this.#outbox.giveUp(1);
      throw error;
    }
    if (next !== undefined) this.#add(next);
    if (this.#turn !== undefined) await this.#turn;
    return this.#isStopped;
  }

  /** Checks a message. If that fails, it counts as failed. */
  #bytesOf(message: unknown): Uint8Array | undefined {
    const { messages, counts } = this.#outbox;
    try {
      return messages.bytesFor(message as Data, this.#destination);
    } catch (error) {
      counts.sendFailed++;
      this.#tally.fail(error as Error);
      return undefined;
    }
  }

  /** Adds a message. @returns Whether it did: not if a run has to be sent first. */
  #add(bytes: Uint8Array): boolean {
    const pack = this.#pack;
    if (this.#batch.length === 0) {
      if (pack.add(bytes)) return true;
      if (pack.count >= MIN_RUN) return false;
      this.#batch = pack.messages().map((bytes) => this.#prepared(bytes));
      // Its memory is used again only after the batch.
      pack.clear();
    }
    this.#batch.push(this.#prepared(bytes));
    return true;
  }

  #prepared(data: Uint8Array): Prepared {
    const { to } = this.#destination;
    return { data, to, size: data.length, isForName: false };
  }

  async #flush(): Promise<void> {
    const pack = this.#pack;
    const batch = pack.count === 1
      ? [this.#prepared(pack.data())]
      : this.#batch;
    try {
      if (batch.length > 0) {
        this.#batch = [];
        await this.#sendBatch(batch);
      } else if (pack.count > 0) await this.#sendPack();
    } finally {
      this.#pack.clear();
    }
  }

  /** Sends a run, of which the carrier may take a part at a time. */
  async #sendPack(): Promise<void> {
    const { size, count } = this.#pack;
    const message = this.#prepared(this.#pack.data());
    const run: PreparedRun = { ...message, segmentSize: size, count };
    const one: Prepared = { ...message, size };
    let settled = 0;
    this.#run = run;
    try {
      const entered = this.#outbox.enter(run);
      if (entered !== true && !await entered) return;
      try {
        while (settled < count && !this.#isStopped) {
          const sending = this.#outbox.sendPart(run, settled, one);
          const part = sending instanceof Promise ? await sending : sending;
          this.#outbox.note(part.sent, part.sent * size);
          const failed = part.settled - part.sent;
          this.#outbox.giveUp(failed);
          this.#tally.sent += part.sent;
          settled += part.settled;
          if (part.error !== undefined) this.#tally.fail(part.error, failed);
          const turn = this.#turns.due();
          if (turn !== undefined) await turn;
        }
      } finally {
        this.#outbox.leave(run);
      }
    } finally {
      this.#run = undefined;
      this.#outbox.giveUp(count - settled);
    }
  }
}

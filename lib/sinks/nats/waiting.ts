import type { Backlog, Message } from "../../sink.ts";
import { reasonOf, type Warnings } from "../../warnings.ts";

const MAX_BYTES = 64 * 1024 * 1024;
const MARK_EVERY = 500;
const MARK_WITHIN_MS = 100;

/** Messages that wait for the broker, by numbers without gaps. */
export interface Waiting {
  /** Whose numbers these are. */
  readonly id: string;
  /** The highest number, of whatever came. */
  readonly last: number;
  /** Up to which number all messages are answered for. */
  readonly settled: number;
  /** Takes messages. Returns how many of them it had no room for. */
  add(messages: readonly Message[]): number;
  /** Messages with a higher number, oldest first: what can be had by now. */
  after(number: number, limit: number): readonly Message[];
  /** All messages up to that number are answered for. */
  settle(number: number): void;
  /** Lets go of its timer. Returns how many messages wait nowhere any more. */
  close(): number;
}

/** In memory, as many as there is room for: what comes then is refused. */
export class WaitingInMemory implements Waiting {
  readonly id = crypto.randomUUID();
  readonly #max: number;
  // Those from `#head` on wait; it moves, as to shift each would copy all.
  #messages: Message[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;
  last = 0;
  settled = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(messages: readonly Message[]): number {
    let refused = 0;
    for (const { time, datagram } of messages) {
      const bytes = this.#bytes + datagram.data.length;
      if (
        this.#closed || bytes > MAX_BYTES ||
        this.last - this.settled >= this.#max
      ) {
        refused++;
        continue;
      }
      this.#bytes = bytes;
      this.#messages.push({ id: ++this.last, time, datagram });
    }
    return refused;
  }

  after(number: number, limit: number): readonly Message[] {
    const start = this.#head + number - this.settled;
    return this.#messages.slice(start, start + limit);
  }

  settle(number: number): void {
    for (; this.settled < number; this.settled++) {
      this.#bytes -= this.#messages[this.#head++].datagram.data.length;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
  }

  close(): number {
    const lost = this.last - this.settled;
    this.settle(this.last);
    this.#closed = true;
    return lost;
  }
}

/** In a backlog, which remembers how far they were published. */
export class WaitingInBacklog implements Waiting {
  readonly #backlog: Backlog;
  readonly #destination: string;
  readonly #warnings: Warnings;
  #marked: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  last: number;
  settled: number;

  constructor(backlog: Backlog, destination: string, warnings: Warnings) {
    this.#backlog = backlog;
    this.#destination = destination;
    this.#warnings = warnings;
    this.#marked = this.settled = backlog.handedOn(destination);
    this.last = Math.max(backlog.lastId, this.settled);
  }

  get id(): string {
    return this.#backlog.id;
  }

  add(messages: readonly Message[]): number {
    this.last = Math.max(this.last, messages.at(-1)?.id ?? 0);
    return 0;
  }

  after(number: number, limit: number): readonly Message[] {
    try {
      return this.#backlog.after(number, limit);
    } catch (cause) {
      const message = `the store cannot be read: ${reasonOf(cause)}`;
      throw new Error(message, { cause });
    }
  }

  settle(number: number): void {
    this.settled = number;
    if (number - this.#marked >= MARK_EVERY) return this.#mark();
    this.#timer ??= setTimeout(() => this.#mark(), MARK_WITHIN_MS);
  }

  close(): number {
    this.#mark();
    return 0;
  }

  #mark(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.settled === this.#marked) return;
    try {
      this.#backlog.markHandedOn(this.#destination, this.settled);
      this.#marked = this.settled;
      this.#warnings.over("mark");
    } catch (error) {
      // What is not marked is published once more, and the broker knows it.
      this.#warnings.once(
        "mark",
        `Cannot mark what NATS has in the store: ${reasonOf(error)}`,
      );
    }
  }
}

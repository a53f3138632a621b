import type { Message, Past } from "../../sink.ts";

/** How much is kept in memory. */
export interface RecentLimits {
  /** Messages, at most. */
  readonly messages: number;
  /** Bytes of their data, at most. */
  readonly bytes: number;
}

/** The last messages, in bounded memory: gone when the program ends. */
export class Recent implements Past {
  readonly id: string = crypto.randomUUID();
  readonly #limits: RecentLimits;
  // A message is at its number modulo the length: numbers have no gaps.
  readonly #slots: (Message | undefined)[];
  #firstId = 1;
  #lastId = 0;
  #bytes = 0;

  constructor(limits: RecentLimits) {
    this.#limits = limits;
    this.#slots = new Array(limits.messages).fill(undefined);
  }

  /** The lowest number that is still here; 0 when nothing is. */
  get firstId(): number {
    return this.#firstId > this.#lastId ? 0 : this.#firstId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Adds messages, whose numbers go on from the last; the oldest ones go. */
  add(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.id !== this.#lastId + 1) this.#restart(message.id);
      if (message.id - this.#firstId >= this.#limits.messages) this.#drop();
      this.#slots[message.id % this.#slots.length] = message;
      this.#lastId = message.id;
      this.#bytes += message.datagram.data.length;
      while (this.#bytes > this.#limits.bytes) this.#drop();
    }
  }

  after(id: number, limit: number): Message[] {
    const messages: Message[] = [];
    let next = Math.max(id + 1, this.#firstId);
    for (; next <= this.#lastId && messages.length < limit; next++) {
      messages.push(this.#at(next));
    }
    return messages;
  }

  latest(limit: number): Message[] {
    return this.after(this.#lastId - limit, limit);
  }

  #at(id: number): Message {
    return this.#slots[id % this.#slots.length] as Message;
  }

  #drop(): void {
    this.#bytes -= this.#at(this.#firstId).datagram.data.length;
    this.#slots[this.#firstId % this.#slots.length] = undefined;
    this.#firstId++;
  }

  /** The first message of a collector whose store has earlier ones. */
  #restart(id: number): void {
    this.#slots.fill(undefined);
    this.#firstId = id;
    this.#bytes = 0;
  }
}

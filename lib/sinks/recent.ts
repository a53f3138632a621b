import type { Message, MessageLog } from "../sink.ts";

/** How much is kept in memory. */
export interface RecentLimits {
  /** The most messages. */
  readonly messages: number;
  /** The most bytes of their data. */
  readonly bytes: number;
}

/** The newest messages, in bounded memory. */
export class Recent implements MessageLog {
  readonly identity: string = crypto.randomUUID();
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

  /** The lowest number that is in memory; 0 if there is none. */
  get firstId(): number {
    return this.#firstId > this.#lastId ? 0 : this.#firstId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Adds messages and drops the oldest ones. A gap in the numbers drops all. */
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

  /** Drops the messages that arrived before a time, in milliseconds since 1970. */
  dropBefore(time: number): void {
    while (
      this.#firstId <= this.#lastId &&
      this.#at(this.#firstId).time.getTime() < time
    ) this.#drop();
  }

  after(id: number, limit: number): Message[] {
    const messages: Message[] = [];
    let next = Math.max(id + 1, this.#firstId);
    for (; next <= this.#lastId && messages.length < limit; next++) {
      messages.push(this.#at(next));
    }
    return messages;
  }

  #at(id: number): Message {
    return this.#slots[id % this.#slots.length] as Message;
  }

  #drop(): void {
    this.#bytes -= this.#at(this.#firstId).datagram.data.length;
    this.#slots[this.#firstId % this.#slots.length] = undefined;
    this.#firstId++;
  }

  #restart(id: number): void {
    this.#slots.fill(undefined);
    this.#firstId = id;
    this.#bytes = 0;
  }
}

import type { Message, MessageLog } from "../sink.ts";
import type { Recent } from "./recent.ts";

/**
 * The newest messages in memory and a stored log, as one log. What is in memory
 * is read from there, so the store may write later than a message arrives: no
 * message is missing where the two meet, and none is there twice.
 */
export class RecentAndStored implements MessageLog {
  readonly identity: string;
  readonly #recent: Recent;
  readonly #stored: MessageLog;

  constructor(recent: Recent, stored: MessageLog) {
    this.identity = stored.identity;
    this.#recent = recent;
    this.#stored = stored;
  }

  get lastId(): number {
    return Math.max(this.#stored.lastId, this.#recent.lastId);
  }

  after(id: number, limit: number): Message[] {
    const { firstId } = this.#recent;
    if (firstId === 0) return this.#stored.after(id, limit);
    if (id + 1 >= firstId) return this.#recent.after(id, limit);
    const stored = this.#stored.after(id, limit)
      .filter((message) => message.id < firstId);
    return [...stored, ...this.#recent.after(id, limit - stored.length)];
  }
}

import type { Message, Past } from "../../sink.ts";
import type { Recent } from "./recent.ts";

/**
 * A store and the last messages in memory as one past. A store may write later
 * than the page is told, so the newest messages come from memory: none is
 * missing where the two meet, and none comes twice.
 */
export class Joint implements Past {
  readonly id: string;
  readonly #store: Past;
  readonly #recent: Recent;

  constructor(store: Past, recent: Recent) {
    this.id = store.id;
    this.#store = store;
    this.#recent = recent;
  }

  get lastId(): number {
    return Math.max(this.#store.lastId, this.#recent.lastId);
  }

  after(id: number, limit: number): Message[] {
    const { firstId } = this.#recent;
    if (firstId === 0) return this.#store.after(id, limit);
    if (id + 1 >= firstId) return this.#recent.after(id, limit);
    const stored = this.#store.after(id, limit)
      .filter((message) => message.id < firstId);
    return [...stored, ...this.#recent.after(id, limit - stored.length)];
  }

  latest(limit: number): Message[] {
    const { firstId } = this.#recent;
    if (firstId === 0) return this.#store.latest(limit);
    const recent = this.#recent.latest(limit);
    const missing = limit - recent.length;
    if (missing === 0) return recent;
    const stored = this.#store.latest(limit)
      .filter((message) => message.id < firstId);
    return [...stored.slice(-missing), ...recent];
  }
}

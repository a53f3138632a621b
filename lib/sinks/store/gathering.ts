import type { Message } from "../../sink.ts";

// So many are written at once, whatever is being written.
const MAX_MESSAGES = 256;
const MAX_BYTES = 1024 * 1024;

/**
 * Gathers messages while earlier ones are being written, and for a pause after
 * that: a transaction costs as much as many messages. A message that comes after
 * the pause is written at once.
 */
export class Gathering {
  readonly #pauseMs: number;
  readonly #write: (messages: readonly Message[], size: number) => void;
  #messages: readonly Message[] = [];
  #size = 0;
  // How many writes have not ended.
  #writing = 0;
  #pauseEnd = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param pauseMs How long the pause is, from the beginning of a write on.
   * @param write Begins to write messages of so many bytes. Must not throw.
   */
  constructor(
    pauseMs: number,
    write: (messages: readonly Message[], size: number) => void,
  ) {
    this.#pauseMs = pauseMs;
    this.#write = write;
  }

  /** Takes messages of so many bytes. */
  add(messages: readonly Message[], size: number): void {
    this.#messages = this.#messages.length === 0
      ? messages
      : [...this.#messages, ...messages];
    this.#size += size;
    this.#next();
  }

  /** Notes that a write has ended. */
  written(): void {
    this.#writing--;
    this.#next();
  }

  /** Writes what was gathered, at once. */
  flush(): void {
    const messages = this.#messages;
    const size = this.#size;
    this.clear();
    if (messages.length === 0) return;
    this.#writing++;
    if (this.#pauseMs > 0) this.#pauseEnd = performance.now() + this.#pauseMs;
    this.#write(messages, size);
  }

  /** Forgets what was gathered. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#messages = [];
    this.#size = 0;
  }

  #next(): void {
    const { length } = this.#messages;
    if (length === 0) return;
    if (length >= MAX_MESSAGES || this.#size >= MAX_BYTES) return this.flush();
    if (this.#writing > 0 || this.#timer !== undefined) return;
    const ms = this.#pauseMs === 0 ? 0 : this.#pauseEnd - performance.now();
    if (ms <= 0) return this.flush();
    this.#timer = setTimeout(() => this.flush(), ms);
  }
}

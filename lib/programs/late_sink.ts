import type { Message, Sink } from "../sink.ts";

// What may wait in memory; beyond it messages are only counted.
const MAX_BYTES = 32 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 128;

/** A sink that was opened. */
export interface Late {
  readonly sink: Sink;
  /** The number before that of the first message that it gets. */
  readonly lastId: number;
}

/** How a {@linkcode LateSink} counts. */
export interface LateSinkOptions {
  /** What the sink counts, besides `waiting`. */
  readonly counts: readonly string[];
  /** The one of them for messages that there is no room for. */
  readonly refused: string;
  /** Called if it ends before it was open, with how many messages waited. */
  readonly onEnd: (waiting: number) => void;
}

/**
 * Stands in for a sink that cannot be opened yet. Messages wait in memory, up to
 * 32 MiB, and get the numbers that follow those in the sink when it is open.
 */
export class LateSink implements Sink {
  readonly name: string;
  readonly #options: LateSinkOptions;
  #late: Late | undefined;
  #messages: Message[] = [];
  #bytes = 0;
  #refused = 0;
  // No more can wait: it is closed, or will never be opened.
  #isOver = false;

  /** @param opening Rejects if the sink will never be open. */
  constructor(name: string, opening: Promise<Late>, options: LateSinkOptions) {
    this.name = name;
    this.#options = options;
    opening.then((late) => this.#open(late), () => this.#end());
  }

  get stats(): Record<string, number> {
    const { counts, refused } = this.#options;
    const waiting = this.#messages.length;
    const { stats = Object.fromEntries(counts.map((name) => [name, 0])) } =
      this.#late?.sink ?? {};
    return {
      ...stats,
      waiting: (stats["waiting"] ?? 0) + waiting,
      [refused]: (stats[refused] ?? 0) + this.#refused,
    };
  }

  write(messages: readonly Message[]): void {
    if (this.#late !== undefined) return this.#pass(this.#late, messages);
    for (const message of messages) {
      const bytes = this.#bytes + message.datagram.data.length + OVERHEAD;
      if (this.#isOver || bytes > MAX_BYTES) {
        this.#refused++;
        continue;
      }
      this.#bytes = bytes;
      this.#messages.push(message);
    }
  }

  async flush(): Promise<void> {
    await this.#late?.sink.flush();
  }

  async close(limit?: AbortSignal): Promise<void> {
    if (this.#late !== undefined) return await this.#late.sink.close(limit);
    this.#end();
  }

  #open(late: Late): void {
    if (this.#isOver) return void late.sink.close(AbortSignal.abort());
    this.#late = late;
    const messages = this.#messages;
    this.#messages = [];
    this.#pass(late, messages);
  }

  #pass({ sink, lastId }: Late, messages: readonly Message[]): void {
    void sink.write(
      messages.map((message) => ({ ...message, id: message.id + lastId })),
    );
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { length } = this.#messages;
    this.#options.onEnd(length);
    this.#refused += length;
    this.#messages = [];
  }
}

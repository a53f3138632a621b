import { systemClock } from "../clock.ts";
import { count } from "../count.ts";
import { beforeAbort } from "../promises.ts";
import type { Message, Sink } from "../sink.ts";
import { settles } from "../socket/peer_lines.ts";
import { Warnings } from "../warnings.ts";
import { type FormatName, formatter } from "./format.ts";
import { Output, type OutputOptions } from "./output.ts";

// What may wait for the reader beside other sinks, which must not wait for it.
const MAX_WAITING = 32 * 1024 * 1024;
// What a message costs beyond its bytes.
const OVERHEAD = 128;
// How often it tries again after a failure, such as a full disk.
const RETRY_MS = 500;
// The end does not wait for a reader that takes nothing for so long.
const STALLED_MS = 3000;
const SAY_MS = 60_000;
const UNREAD = "standard output is not read: messages are dropped, and counted";
const READ_AGAIN = "standard output is read again";
const CLOSED = "standard output was closed; going on without it";

/** How a {@linkcode Printer} prints. */
export interface PrinterOptions extends Pick<OutputOptions, "write"> {
  format: FormatName;
  /** Whether there is no other sink. */
  isOnly: boolean;
  /** Called with one line when messages cannot be printed. */
  onTrouble: (line: string) => void;
}

/**
 * Prints messages on standard output. If it is the only sink, the collector
 * waits for a slow reader, and a failure to write ends the program. Beside
 * others it holds up nothing: what its reader does not take is dropped and
 * counted, and it goes on without a reader.
 */
export class Printer implements Sink {
  readonly name = "print";
  readonly #format: ReturnType<typeof formatter>;
  readonly #isOnly: boolean;
  readonly #warnings: Warnings;
  readonly #output: Output;
  #taken = 0;
  #refused = 0;
  // How much was waiting when its reader was last seen to read.
  #unread = 0;
  // Whether messages are dropped, and whether that was said.
  #isUnread = false;
  #isSaid = false;
  #saidAt = -Infinity;
  #isFailing = false;
  #hasFailed = false;
  #isOver = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | undefined;

  constructor({ format, isOnly, onTrouble, write }: PrinterOptions) {
    this.#format = formatter(format);
    this.#isOnly = isOnly;
    this.#warnings = new Warnings(onTrouble);
    this.#output = new Output({
      write,
      onFailure: (error) => this.#onFailure(error),
    });
  }

  get stats(): Record<"printed" | "dropped" | "waiting", number> {
    const printed = this.#output.written;
    const left = this.#taken - printed;
    return this.#isOver
      ? { printed, dropped: this.#refused + left, waiting: 0 }
      : { printed, dropped: this.#refused, waiting: left };
  }

  write(messages: readonly Message[]): Promise<void> | undefined {
    if (!this.#isOnly) return this.#offer(messages);
    let full: Promise<void> | undefined;
    for (const message of messages) full = this.#print(message);
    return full;
  }

  /** Waits for the reader, as long as it reads. */
  async flush(): Promise<void> {
    if (this.#isFailing) return;
    const written = this.#output.flush();
    // It was waited for already.
    if (this.#unread > 0 && this.#output.size === this.#unread) return;
    this.#unread = this.#output.size;
    while (!await settles(written, STALLED_MS, systemClock)) {
      if (this.#output.size >= this.#unread) return;
      this.#unread = this.#output.size;
    }
    this.#unread = 0;
    if (this.#isOnly) await written;
  }

  close(limit?: AbortSignal): Promise<void> {
    return this.#closed ??= this.#close(limit).finally(() => this.#end());
  }

  async #close(limit?: AbortSignal): Promise<void> {
    await (limit ? beforeAbort(this.flush(), limit) : this.flush());
    const { waiting = 0 } = this.stats;
    if (waiting === 0 || this.#hasFailed) return;
    this.#warnings.note(`${count(waiting, "message")} could not be printed`);
  }

  #end(): void {
    clearTimeout(this.#retry);
    this.#isOver = true;
  }

  /** What waits, in bytes. */
  get #size(): number {
    const waiting = this.#taken - this.#output.written;
    return this.#output.size + waiting * OVERHEAD;
  }

  /** Prints what there is room for. */
  #offer(messages: readonly Message[]): undefined {
    if (this.#isOver) {
      this.#refused += messages.length;
      return;
    }
    if (!this.#isFailing && this.#size < MAX_WAITING / 2) this.#onRead();
    for (const message of messages) {
      if (this.#size < MAX_WAITING) {
        this.#print(message);
        continue;
      }
      this.#refused++;
      if (!this.#isFailing) this.#onUnread();
    }
  }

  /** Says it at most once a minute: a reader may be slow again and again. */
  #onUnread(): void {
    if (this.#isUnread) return;
    this.#isUnread = true;
    const now = performance.now();
    if (now < this.#saidAt + SAY_MS) return;
    this.#saidAt = now;
    this.#isSaid = true;
    this.#warnings.note(UNREAD);
  }

  #onRead(): void {
    this.#isUnread = false;
    if (this.#isSaid) this.#warnings.note(READ_AGAIN);
    this.#isSaid = false;
  }

  #print({ datagram, time }: Message): Promise<void> | undefined {
    this.#taken++;
    return this.#output.write(this.#format(datagram, time));
  }

  #onFailure(error: Error): void {
    this.#hasFailed = true;
    if (this.#isOnly || this.#isOver) return;
    if (error instanceof Deno.errors.BrokenPipe) {
      this.#warnings.note(CLOSED);
      return this.#end();
    }
    this.#isFailing = true;
    this.#warnings.once(
      "failing",
      `${error.message}; messages wait, and are counted`,
    );
    this.#retry = setTimeout(() => {
      this.#isFailing = false;
      this.#output.retry();
      this.#output.flush().then(() => {
        this.#hasFailed = false;
        this.#warnings.over("failing");
        this.#warnings.note("standard output can be written again");
      }, () => {});
    }, RETRY_MS);
  }
}

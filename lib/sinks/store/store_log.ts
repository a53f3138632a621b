import type { Message } from "../../sink.ts";
import { reasonOf, type Warnings } from "../../warnings.ts";
import { Recent } from "../recent.ts";
import { RecentAndStored } from "../recent_and_stored.ts";
import { isSame, statOf } from "./file.js";
import type { Limits } from "./options.ts";
import { StoreReader } from "./reader.ts";

// The newest messages that are read from memory instead of the file.
const RECENT = { messages: 10_000, bytes: 8 * 1024 * 1024 };

/**
 * The messages of a store that its own program reads: the newest from memory, the
 * others from the file, while there is one.
 */
export class StoreLog {
  readonly #path: string;
  readonly #limits: Limits;
  readonly #warnings: Warnings;
  // Absent until someone reads: a store that is only written needs no memory.
  #recent: Recent | undefined;
  #reader: StoreReader | undefined;
  #isOpen = false;

  /** @param path Absolute: the program may change its folder. */
  constructor(path: string, limits: Limits, warnings: Warnings) {
    this.#path = path;
    this.#limits = limits;
    this.#warnings = warnings;
  }

  /** Opens the file that is at the path. */
  enter(): void {
    this.#isOpen = true;
    this.#read();
  }

  /** Closes the file, and opens none until `enter` is called again. */
  leave(): void {
    this.#isOpen = false;
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }

  /** Adds messages that the file does not have yet, and may never have. */
  add(messages: readonly Message[]): void {
    this.#recent?.add(messages);
  }

  after(id: number, limit: number): Message[] {
    const { keepRows, keepMs } = this.#limits;
    this.#recent ??= new Recent({
      ...RECENT,
      messages: Math.min(RECENT.messages, keepRows),
    });
    this.#recent.dropBefore(Date.now() - keepMs);
    const reader = this.#read();
    const log = reader === undefined
      ? this.#recent
      : new RecentAndStored(this.#recent, reader);
    return log.after(id, limit);
  }

  /** Returns the newest `limit` messages in the file, oldest first. */
  latest(limit: number): Message[] {
    return this.#read()?.latest(limit) ?? [];
  }

  #read(): StoreReader | undefined {
    if (!this.#isOpen || this.#reader !== undefined) return this.#reader;
    const there = this.#look();
    // It was moved, which is reported.
    if (there === undefined) return undefined;
    try {
      return this.#reader = new StoreReader(this.#path);
    } catch (error) {
      // It may have been moved just now.
      if (isSame(there, this.#look())) this.#warnings.once(reasonOf(error));
      return undefined;
    }
  }

  #look(): Deno.FileInfo | undefined {
    try {
      return statOf(this.#path);
    } catch (error) {
      this.#warnings.once(reasonOf(error));
      return undefined;
    }
  }
}

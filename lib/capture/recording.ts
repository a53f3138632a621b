import {
  requireFunction,
  requireOptions,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { count } from "../count.ts";
import { cannot, errors, failure, quote } from "../errors.ts";
import { beforeAbort } from "../promises.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { joined } from "./byte_reader.ts";
import { CaptureFile } from "./capture_file.ts";
import {
  CaptureEncoder,
  type DatagramToWrite,
  type EncoderOptions,
} from "./encoder.ts";

const GIBIBYTE = 1024 ** 3;
// What may wait for the disk; beyond it datagrams are only counted.
const MAX_WAITING = 8 * 1024 * 1024;
// What a datagram takes in memory besides its bytes.
const OVERHEAD = 128;
const MAX_BATCH = 512 * 1024;
const EXISTS = "the file exists; remove it, or give another name";

/** How a file is recorded. */
export interface RecordingOptions extends EncoderOptions {
  /**
   * The most bytes of the file, without a comment at its end; further datagrams
   * are counted.
   * @default {1 GiB}
   */
  limit?: number | undefined;
  /**
   * Called with a line if the file cannot be written, and if it has reached its
   * limit: once each.
   * @default {prints it to standard error}
   */
  onTrouble?: ((line: string) => void) | undefined;
}

/** Datagrams of a recording by outcome. */
export interface RecordingStats {
  /** Datagrams in the file. */
  recorded: number;
  /** Datagrams that wait for the disk. */
  waiting: number;
  /** Datagrams that can be no UDP packets: too long, or without IP addresses. */
  skipped: number;
  /** Datagrams after the file had reached its limit. */
  overLimit: number;
  /** Datagrams that could not be written, or that came faster than the disk. */
  lost: number;
}

/** Writes datagrams to a file, and never makes anyone wait for it. */
export interface Recording {
  /** How many datagrams had each outcome: a copy. */
  readonly stats: RecordingStats;
  /**
   * Takes a datagram. Its fields are read at once.
   *
   * @throws What `CaptureEncoder.encode` throws; then it is not counted.
   */
  record(datagram: DatagramToWrite): void;
  /** Resolves when no datagram waits. */
  flush(): Promise<void>;
  /**
   * Writes what waits, and closes the file. A second call does nothing.
   *
   * @param limit When it aborts, what waits is counted as lost.
   * @param comment Added to the file as the comment on an empty section.
   */
  close(limit?: AbortSignal, comment?: string): Promise<void>;
}

/**
 * Creates a capture file and records datagrams in it, in nanoseconds, as
 * `CaptureEncoder` writes them. A full disk or a failing file is reported once and
 * counted, and the file stays a whole capture; recording goes on as soon as it
 * can. At most 8 MiB wait in memory. On Deno it needs `--allow-write=PATH`.
 *
 * @throws {Error} The file exists, or cannot be created. The message is one line.
 * @throws {RangeError} `limit` is not a whole number from 1.
 * @throws {TypeError} An option is of the wrong type.
 */
export async function openRecording(
  path: string,
  options: RecordingOptions = {},
): Promise<Recording> {
  if (typeof path !== "string" || path === "") {
    throw wrongType("record", "path", "the path of a new file", path);
  }
  requireOptions("record", options);
  const { limit = GIBIBYTE, onTrouble } = options;
  wholeNumber("record", "limit", limit, 1);
  if (onTrouble !== undefined) {
    requireFunction("record", "onTrouble", onTrouble);
  }
  const encoder = new CaptureEncoder(options);
  const attempt = `record to ${quote(path)}`;
  try {
    const file = await CaptureFile.create(path);
    return new FileRecording(file, encoder, { limit, onTrouble, attempt });
  } catch (error) {
    throw codeOf(error) === "EEXIST"
      ? failure(attempt, new errors.AlreadyExists(EXISTS))
      : failure(attempt, error);
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}

interface Settings {
  limit: number;
  onTrouble: ((line: string) => void) | undefined;
  attempt: string;
}

class FileRecording implements Recording {
  readonly #file: CaptureFile;
  readonly #encoder: CaptureEncoder;
  readonly #settings: Settings;
  readonly #warnings: Warnings;
  #waiting: Uint8Array[];
  // Of what waits: bytes, and what they take in memory.
  #memory = 0;
  // The length of the file once all that waits is written.
  #length: number;
  #recorded = 0;
  #overLimit = 0;
  #lost = 0;
  #pending = 0;
  #hasHeader = false;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(file: CaptureFile, encoder: CaptureEncoder, settings: Settings) {
    this.#file = file;
    this.#encoder = encoder;
    this.#settings = settings;
    this.#warnings = new Warnings(settings.onTrouble);
    this.#waiting = [];
    this.#length = encoder.header.length;
    this.#write();
  }

  get stats(): RecordingStats {
    const { tooLong, notIp } = this.#encoder.stats;
    return {
      recorded: this.#recorded,
      waiting: this.#pending,
      skipped: tooLong + notIp,
      overLimit: this.#overLimit,
      lost: this.#lost,
    };
  }

  record(datagram: DatagramToWrite): void {
    const bytes = this.#encoder.encode(datagram);
    if (bytes === undefined) return;
    if (this.#closing !== undefined) return void this.#lost++;
    if (
      this.#overLimit > 0 || this.#length + bytes.length > this.#settings.limit
    ) {
      this.#overLimit++;
      const held = count(this.#recorded + this.#pending, "datagram");
      return this.#warnings.once(
        "limit",
        cannot(
          this.#settings.attempt,
          `it has ${held}, and would be longer than ${this.#settings.limit} bytes; further ones are counted`,
        ),
      );
    }
    if (this.#memory + bytes.length + OVERHEAD > MAX_WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#memory += bytes.length + OVERHEAD;
    this.#length += bytes.length;
    this.#pending++;
    this.#write();
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  close(limit?: AbortSignal, comment?: string): Promise<void> {
    return this.#closing ??= this.#close(limit, comment);
  }

  async #close(
    limit: AbortSignal = new AbortController().signal,
    comment: string | undefined,
  ): Promise<void> {
    await beforeAbort(this.#writing ?? Promise.resolve(), limit);
    this.#lost += this.#pending;
    this.#pending = 0;
    this.#waiting = [];
    // A write that hangs may still be under way.
    if (comment !== undefined && !limit.aborted) {
      const { header } = new CaptureEncoder({ comment });
      const added = this.#file.add(header);
      await beforeAbort(added.catch((error) => this.#fail(error)), limit);
    }
    const closed = this.#file.close().catch((error) => this.#fail(error));
    // A disk that hangs is not waited for.
    await beforeAbort(closed, limit);
  }

  #write(): void {
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // What is recorded in one turn is written at once.
    await Promise.resolve();
    try {
      while (!this.#hasHeader || this.#waiting.length > 0) {
        const batch = this.#take();
        const size = batch.reduce((sum, { length }) => sum + length, 0);
        const header = this.#hasHeader ? [] : [this.#encoder.header];
        const start = header.reduce((sum, { length }) => sum + length, 0);
        let isWritten = false;
        try {
          await this.#file.add(joined([...header, ...batch], start + size));
          isWritten = this.#hasHeader = true;
        } catch (error) {
          this.#length -= size;
          this.#fail(error);
        }
        this.#memory -= size + batch.length * OVERHEAD;
        // It was closed in the meantime, and has counted them.
        if (this.#pending === 0) return;
        this.#pending -= batch.length;
        if (isWritten) this.#recorded += batch.length;
        else this.#lost += batch.length;
        if (!isWritten && this.#waiting.length === 0) return;
      }
    } finally {
      // At once: what is recorded from now on begins to write by itself.
      this.#writing = undefined;
    }
  }

  /** Takes what waits, as many as fit into a batch. */
  #take(): Uint8Array[] {
    let size = 0;
    let n = 0;
    while (n < this.#waiting.length && size < MAX_BATCH) {
      size += this.#waiting[n++]!.length;
    }
    return this.#waiting.splice(0, n);
  }

  #fail(error: unknown): void {
    this.#warnings.once(
      "failure",
      cannot(
        this.#settings.attempt,
        `${reasonOf(error)}; datagrams that are not recorded are counted`,
      ),
    );
  }
}

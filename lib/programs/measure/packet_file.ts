import { count } from "../../count.ts";
import { quote } from "../../errors.ts";
import type { MeasuredPacket } from "../../measure/result.ts";
import { settles } from "../../socket/peer_lines.ts";
import { systemClock } from "../../clock.ts";
import { reasonOf, Warnings } from "../../warnings.ts";
import { createNew } from "./new_file.ts";
import { packetFormat, type PacketLine } from "./packet_lines.ts";

// What may wait for the disk; beyond it packets are only counted.
const MAX_WAITING = 8 * 1024 * 1024;
// How long the end waits for a disk that hangs.
const CLOSE_MS = 3000;

/** A file that grows by whole pieces. */
interface GrowingFile {
  /** Adds all of the bytes, or none of them. */
  add(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file with a line per packet. Nobody waits for it: a full disk is said once,
 * what cannot be written is counted, and at most 8 MiB wait.
 */
export class PacketFile {
  /** How many packets are in the file. */
  written = 0;
  /** How many could not be written, or came faster than the disk. */
  lost = 0;
  readonly #file: GrowingFile;
  readonly #line: PacketLine;
  readonly #warnings: Warnings;
  readonly #attempt: string;
  // What the file must begin with, until it does.
  #header: string;
  #waiting: string[] = [];
  #size = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param path Its end decides about the format: .jsonl, .ndjson and .json are
   * lines of JSON, and everything else is CSV.
   */
  constructor(
    file: GrowingFile,
    path: string,
    report?: (line: string) => void,
  ) {
    const { header, line } = packetFormat(path);
    this.#file = file;
    this.#line = line;
    this.#header = header === undefined ? "" : `${header}\n`;
    this.#warnings = new Warnings(report);
    this.#attempt = `Cannot write --packets ${quote(path)}`;
    if (this.#header !== "") this.#start();
  }

  /** Creates the file. @throws {Error} It exists, or cannot be created. */
  static async create(path: string): Promise<PacketFile> {
    return new PacketFile(await createNew("packets", path), path);
  }

  /** Takes a packet. It neither waits nor throws. */
  add(packet: MeasuredPacket): void {
    const line = `${this.#line(packet)}\n`;
    if (this.#size + line.length > MAX_WAITING) {
      this.lost++;
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length;
    this.#start();
  }

  /** Writes what waits, for three seconds at most, and closes the file. */
  async close(): Promise<void> {
    await settles(this.#writing ?? Promise.resolve(), CLOSE_MS, systemClock);
    this.lost += this.#waiting.length;
    this.#waiting = [];
    await settles(
      this.#file.close().catch((error) => this.#fail(error)),
      CLOSE_MS,
      systemClock,
    );
  }

  /** Describes what is in the file. */
  get totals(): string {
    const written = `wrote ${count(this.written, "packet")}`;
    return this.lost === 0 ? written : `${written}, ${this.lost} not written`;
  }

  #start(): void {
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // What is added in one turn is written at once.
    await Promise.resolve();
    const encoder = new TextEncoder();
    do {
      const lines = this.#waiting;
      const size = this.#size;
      this.#waiting = [];
      try {
        await this.#file.add(encoder.encode(this.#header + lines.join("")));
        this.#header = "";
        this.written += lines.length;
      } catch (error) {
        this.lost += lines.length;
        this.#fail(error);
      }
      this.#size -= size;
    } while (this.#waiting.length > 0);
    this.#writing = undefined;
  }

  #fail(error: unknown): void {
    this.#warnings.once(
      "failure",
      `${this.#attempt}: ${
        reasonOf(error)
      }; packets that are not written are counted`,
    );
  }
}

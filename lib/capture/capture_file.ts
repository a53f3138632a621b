import { builtin } from "../runtime.ts";

/** The parts of `node:fs/promises` that are used. */
interface Files {
  open(path: string, flags: "wx"): Promise<Handle>;
}

interface Handle {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A file that grows, and never keeps a part of what could not be written. */
export class CaptureFile {
  readonly #handle: Handle;
  #size = 0;

  private constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Creates the file. @throws {Error} It exists already, or cannot be created. */
  static async create(path: string): Promise<CaptureFile> {
    const files = builtin<Files>("node:fs/promises");
    return new CaptureFile(await files.open(path, "wx"));
  }

  /** Adds all of the bytes, or none of them. @throws {Error} None were added. */
  async add(bytes: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < bytes.length) {
        const { bytesWritten } = await this.#handle.write(
          bytes,
          written,
          bytes.length - written,
          this.#size + written,
        );
        if (bytesWritten === 0) throw new Error("nothing was written");
        written += bytesWritten;
      }
    } catch (error) {
      // If that fails too, the next bytes go over the rest.
      await this.#handle.truncate(this.#size).catch(() => {});
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

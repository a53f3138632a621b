import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

const READ_BYTES = 16 * 1024;

/** How long a browser may take, in milliseconds. */
export interface TimeLimits {
  /**
   * For the head of a request: from the start of the connection, or from the end
   * of the response before.
   */
  readonly headMs: number;
  /** For reading some of the bytes that were written. */
  readonly readMs: number;
}

/**
 * A connection of a browser, as a stream of Node. It closes itself when no request
 * is at work and the next one takes too long, or when the browser reads nothing.
 */
export class Connection extends Duplex {
  /** The time at which it became idle. Absent while a request is at work. */
  idleSince: number | undefined;
  readonly #conn: Deno.TcpConn;
  readonly #limits: TimeLimits;
  readonly #input = new Uint8Array(READ_BYTES);
  #atWork = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(conn: Deno.TcpConn, limits: TimeLimits) {
    super();
    this.#conn = conn;
    this.#limits = limits;
    // Each request on it listens for its end.
    this.setMaxListeners(0);
    // A browser that resets its connection harms nobody.
    this.on("error", () => {});
    this.#rest();
  }

  /** The host at the other end. */
  get hostname(): string {
    return this.#conn.remoteAddr.hostname;
  }

  /** Marks the start of a request. Call the result when its response has ended. */
  begin(): () => void {
    this.#atWork++;
    this.#wake();
    return () => {
      if (--this.#atWork === 0 && !this.destroyed) this.#rest();
    };
  }

  override _read(): void {
    this.#conn.read(this.#input).then(
      (length) =>
        this.push(
          length === null ? null : Buffer.from(this.#input.subarray(0, length)),
        ),
      (error) => this.destroy(error),
    );
  }

  override _write(
    bytes: Uint8Array,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#send(bytes).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(
    error: Error | null,
    done: (error?: Error | null) => void,
  ): void {
    this.#wake();
    this.#conn.close();
    done(error);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      const timer = setTimeout(() => this.destroy(), this.#limits.readMs);
      try {
        sent += await this.#conn.write(bytes.subarray(sent));
      } finally {
        clearTimeout(timer);
      }
    }
  }

  #rest(): void {
    this.idleSince = performance.now();
    this.#idle = setTimeout(() => this.destroy(), this.#limits.headMs);
  }

  #wake(): void {
    this.idleSince = undefined;
    clearTimeout(this.#idle);
  }
}

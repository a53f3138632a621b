import { errors } from "../../errors.ts";
import type { SchemeAddr } from "../../addr.ts";
import { FRAMINGS } from "./framing.ts";
import type { TcpOptions } from "./limits.ts";

const READ_SIZE = 16 * 1024;
// What is closed while something comes is reset, and loses what is under way. So
// at the end a peer is listened to until it is silent for so long: longer where
// it answers, and answers are missing.
const SILENT_MS = 100;
const SILENT_WHILE_ANSWERING_MS = 1000;

/** Why a connection was closed before its peer did. */
export type Lateness = "handshake" | "idle" | "slow" | "unread";

const SAID: Record<Lateness, string> = {
  handshake: "its TLS handshake took too long",
  idle: "nothing came or went for too long",
  slow: "it sent a message too slowly",
  unread: "it does not read",
};

// What TLS has room for is taken without the event loop turning, so that timers
// and other connections would wait for as long as somebody sends.
const WRITES_A_TURN = 64;

// How the system says that the peer has gone, and TLS that it did not say so.
const ENDINGS = [
  errors.BrokenPipe,
  errors.ConnectionReset,
  errors.ConnectionAborted,
  errors.UnexpectedEof,
];

/** One TCP or TLS connection: messages in, messages out. */
export class Connection {
  /** The other end. */
  readonly from: SchemeAddr;
  /** Whether the peer has ended its half: it sends no more. */
  ended = false;
  /** Since when it is kept for answers only. */
  spentAt: number | undefined;
  readonly #conn: Deno.Conn;
  readonly #options: Required<TcpOptions>;
  readonly #decoder;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #reading: Promise<void> | undefined;
  #writing: Promise<unknown> | undefined;
  #shaking = false;
  // When it began to wait for the peer, and how long it has for this message.
  #waitsSince: number | undefined;
  #waited = 0;
  #wroteAt = 0;
  #writesSince: number | undefined;
  #sent = 0;
  #received = 0;
  #closed = false;
  #lateness: Lateness | undefined;

  constructor(
    conn: Deno.Conn,
    from: SchemeAddr,
    options: Required<TcpOptions>,
  ) {
    this.#conn = conn;
    this.from = from;
    this.#options = options;
    this.#decoder = FRAMINGS[options.framing].decoder();
  }

  /** Whether a message has begun that has not ended. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Where there is TLS, waits until both ends agree. */
  async shakeHands(): Promise<void> {
    if (!("handshake" in this.#conn)) return;
    this.#shaking = true;
    this.#waitsSince = performance.now();
    await (this.#conn as Deno.TlsConn).handshake();
    this.#shaking = false;
    this.#waitsSince = undefined;
  }

  /**
   * Writes the next message that is here into a buffer, cut to its length.
   *
   * @returns How many bytes it wrote, or `undefined`: then `read` more.
   */
  next(into: Uint8Array): number | undefined {
    const size = this.#decoder.next(into) ??
      (this.ended ? this.#decoder.end(into) : undefined);
    if (size !== undefined) {
      this.#waited = 0;
      this.#received++;
    }
    return size;
  }

  /**
   * Waits for more bytes, or for the end of what the peer sends. What `next`
   * wrote stays; one `read` at a time.
   */
  read(): Promise<void> {
    return this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    this.#buffer ??= new Uint8Array(READ_SIZE);
    this.#waitsSince = performance.now();
    try {
      const size = await this.#conn.read(this.#buffer);
      if (this.partial) this.#waited += performance.now() - this.#waitsSince;
      if (size === null) {
        this.ended = true;
        this.#buffer = undefined;
      } else this.#decoder.add(this.#buffer.subarray(0, size));
    } catch (error) {
      throw this.#broken(error);
    } finally {
      this.#waitsSince = undefined;
      this.#reading = undefined;
    }
  }

  /**
   * Sends a message. Of a connection one at a time is asked for.
   *
   * @throws {TypeError} The framing cannot carry it.
   * @throws {Deno.errors.TimedOut} The peer does not read.
   * @throws {Deno.errors.ConnectionReset} The connection has ended.
   */
  async write(message: Uint8Array): Promise<void> {
    const bytes = FRAMINGS[this.#options.framing].encode(message);
    const writing = this.#write(bytes);
    this.#writing = writing.catch(() => {});
    await writing;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (++this.#sent % WRITES_A_TURN === 0) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    this.#writesSince = performance.now();
    try {
      for (let done = 0; done < bytes.length;) {
        done += await this.#conn.write(bytes.subarray(done));
      }
      this.#wroteAt = performance.now();
    } catch (error) {
      if (this.#lateness === "unread") throw this.#notRead(error);
      throw this.#broken(error);
    } finally {
      this.#writesSince = undefined;
    }
  }

  /** Why it is given up, if it should be by now. */
  lateness(now: number): Lateness | undefined {
    const { idleMs, messageMs, sendMs } = this.#options;
    if (this.#writesSince !== undefined && now - this.#writesSince > sendMs) {
      return "unread";
    }
    if (this.#waitsSince === undefined) return undefined;
    const waits = now - this.#waitsSince;
    if (this.#shaking) return waits > messageMs ? "handshake" : undefined;
    if (this.partial) {
      return this.#waited + waits > messageMs ? "slow" : undefined;
    }
    const since = Math.max(this.#waitsSince, this.#wroteAt);
    return now - since > idleMs ? "idle" : undefined;
  }

  ref(): void {
    this.#conn.ref();
  }

  unref(): void {
    this.#conn.unref();
  }

  /** Closes it at once. A second call does nothing. */
  close(lateness?: Lateness): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lateness = lateness;
    try {
      this.#conn.close();
    } catch {
      // It broke before.
    }
  }

  /**
   * Sends what waits, says that no more will come, and closes.
   *
   * @param isAsker Whether the peer sends nothing but answers: then it may be
   * closed as soon as it has answered everything.
   */
  async end(isAsker: boolean): Promise<void> {
    this.ref();
    try {
      await this.#writing;
      if (this.#sent > 0 && !this.#closed) {
        const now = this.#writesSince = performance.now();
        await this.#conn.closeWrite();
        this.#writesSince = undefined;
        await this.#discard(isAsker, now + this.#options.sendMs);
      }
    } catch {
      // The peer has ended it already.
    }
    this.close();
  }

  async #discard(isAsker: boolean, until: number): Promise<void> {
    const nowhere = new Uint8Array();
    while (!this.ended && performance.now() < until) {
      while (this.next(nowhere) !== undefined);
      if (isAsker && this.#received >= this.#sent) return;
      const isAnswering = isAsker && this.#received > 0;
      const ms = isAnswering ? SILENT_WHILE_ANSWERING_MS : SILENT_MS;
      if (!await this.#readsWithin(ms)) return;
    }
  }

  async #readsWithin(ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) =>
      timer = setTimeout(resolve, ms, false)
    );
    try {
      return await Promise.race([this.read().then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #notRead(cause: unknown): Error {
    return new errors.TimedOut(
      `the peer has read nothing for ${this.#options.sendMs} ms, and its connection is closed`,
      { cause },
    );
  }

  #broken(cause: unknown): unknown {
    if (this.#lateness !== undefined) {
      return new errors.ConnectionReset(
        `its connection was closed: ${SAID[this.#lateness]}`,
        { cause },
      );
    }
    return ENDINGS.some((ending) => cause instanceof ending)
      ? new errors.ConnectionReset("the peer has closed the connection", {
        cause,
      })
      : cause;
  }
}

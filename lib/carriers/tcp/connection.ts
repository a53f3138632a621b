import type { SchemeAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { FRAMINGS } from "./framing.ts";
import type { TcpOptions } from "./limits.ts";

const READ_SIZE = 16 * 1024;
// Closing while data arrives resets the connection and loses data on its way. So
// at the end the peer is read from until it is silent for this long: longer if
// it is replying and replies are missing.
const SILENT_MS = 100;
const SILENT_WHILE_REPLYING_MS = 1000;

/** How long it stays open for further replies when each message has one. */
export const LINGER_MS = 500;

/** Why a connection was closed before its peer closed it. */
export type Lateness = "handshake" | "idle" | "slow" | "unread";

const REASONS: Record<Lateness, string> = {
  handshake: "its TLS handshake took too long",
  idle: "it was idle for too long",
  slow: "it sent a message too slowly",
  unread: "it does not read",
};

// Writes that fit into the TLS library's buffer complete without a turn of the
// event loop, so timers and other connections would wait while a program sends.
// No upstream issue is known. Remove when tests/tls_test.ts passes without it.
const WRITES_PER_TURN = 64;

// The errors of a peer that has left, in TLS also without a goodbye.
const ENDINGS = [
  errors.BrokenPipe,
  errors.ConnectionReset,
  errors.ConnectionAborted,
  errors.UnexpectedEof,
];

/** One TCP or TLS connection that carries messages. */
export class Connection {
  /** The peer. */
  readonly from: SchemeAddr;
  /** Whether the peer has closed its sending side. */
  ended = false;
  readonly #conn: Deno.Conn;
  readonly #options: Required<TcpOptions>;
  readonly #decoder;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #reading: Promise<void> | undefined;
  #writing: Promise<unknown> | undefined;
  #shaking = false;
  // Since when it waits for the peer, and how long it did for this message.
  #waitsSince: number | undefined;
  #waited = 0;
  #wroteAt = 0;
  #writesSince: number | undefined;
  #sent = 0;
  #received = 0;
  #closed = false;
  #lateness: Lateness | undefined;
  #awaitsRepliesSince: number | undefined;

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

  /** Whether a part of a message has arrived. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  /** Whether this end has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Completes the TLS handshake, if the connection uses TLS. */
  async shakeHands(): Promise<void> {
    const conn = this.#conn;
    if (!isTls(conn)) return;
    this.#shaking = true;
    this.#waitsSince = performance.now();
    await conn.handshake();
    this.#shaking = false;
    this.#waitsSince = undefined;
  }

  /**
   * Writes the next message that has arrived into a buffer, cut to its length.
   *
   * @returns The number of bytes written, or `undefined` if `read` is needed.
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
   * Waits for more bytes, or for the peer to close its sending side. It does not
   * change what `next` wrote. A concurrent call waits for the same bytes.
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
   * Sends a message. It is not called concurrently.
   *
   * @throws {TypeError} The framing cannot carry the message.
   * @throws {Deno.errors.TimedOut} The peer reads nothing.
   * @throws {Deno.errors.ConnectionReset} The connection has ended.
   */
  async write(message: Uint8Array): Promise<void> {
    const bytes = FRAMINGS[this.#options.framing].encode(message);
    const writing = this.#write(bytes);
    this.#writing = writing.catch(() => {});
    await writing;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (++this.#sent % WRITES_PER_TURN === 0) {
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

  /** Returns the limit that the connection has exceeded, if any. */
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

  /** Whether it is open only to be sent replies. */
  get awaitsReplies(): boolean {
    return this.#awaitsRepliesSince !== undefined;
  }

  /** Notes that the peer's last message was delivered. */
  awaitReplies(): void {
    this.#awaitsRepliesSince = performance.now();
  }

  /**
   * Whether it can be closed: all its messages were delivered, and it was sent
   * its replies or has waited for them long enough.
   */
  isDone(now: number): boolean {
    const since = this.#awaitsRepliesSince;
    if (since === undefined || this.#writesSince !== undefined) return false;
    const { replyMs } = this.#options;
    const isReplied = this.#sent >= this.#received;
    const limit = isReplied ? Math.min(LINGER_MS, replyMs) : replyMs;
    return now - Math.max(since, this.#wroteAt) >= limit;
  }

  /** Lets its operations keep the program running. */
  ref(): void {
    this.#conn.ref();
  }

  /** Lets the program end although an operation is pending. */
  unref(): void {
    this.#conn.unref();
  }

  /** Closes it at once; a second call does nothing. */
  close(lateness?: Lateness): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lateness = lateness;
    try {
      this.#conn.close();
    } catch {
      // The connection had failed before.
    }
  }

  /**
   * Waits for pending sends, closes the sending side, and closes the connection
   * when the peer is silent.
   *
   * @param isClient Whether the peer sends only replies: then the connection is
   * closed as soon as the peer has replied to everything.
   */
  async end(isClient: boolean): Promise<void> {
    this.ref();
    try {
      await this.#writing;
      if (this.#sent > 0 && !this.#closed) {
        const now = this.#writesSince = performance.now();
        await this.#conn.closeWrite();
        this.#writesSince = undefined;
        await this.#discard(isClient, now + this.#options.sendMs);
      }
    } catch {
      // The peer has closed it already.
    }
    this.close();
  }

  async #discard(isClient: boolean, until: number): Promise<void> {
    const nowhere = new Uint8Array();
    while (!this.ended && performance.now() < until) {
      while (this.next(nowhere) !== undefined);
      if (isClient && this.#received >= this.#sent) return;
      const isReplying = isClient && this.#received > 0;
      const ms = isReplying ? SILENT_WHILE_REPLYING_MS : SILENT_MS;
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
        `its connection was closed: ${REASONS[this.#lateness]}`,
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

function isTls(conn: Deno.Conn): conn is Deno.TlsConn {
  return "handshake" in conn;
}

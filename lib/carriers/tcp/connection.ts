import { copyAddr, type SchemeAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { performance } from "../../platform.ts";
import { quickTurnIsDue, round, turned } from "../../turns.ts";
import { Backlog, type Backlogs } from "../backlog.ts";
import { patience } from "../patience.ts";
import { brokenBy, type Fault, type Lateness, notRead } from "./failures.ts";
import { FRAMINGS } from "./framing.ts";
import { Incoming } from "./incoming.ts";
import type { StreamSettings } from "./limits.ts";
import type { Losses } from "./losses.ts";
import { readReplies } from "./replies.ts";

/** How long it stays open for further replies when each message has one. */
export const LINGER_MS = 500;

/** What a connection shares with the others of its carrier. */
export interface Shared {
  readonly options: StreamSettings;
  readonly backlogs: Backlogs;
  readonly losses: Losses;
  /** Whether this end accepts the connections. @default {false} */
  readonly isListening?: boolean;
  /** Called when the system has failed to write; the connection is closed. */
  readonly onBroken?: (connection: Connection) => void;
  /** Called when the peer may be read from again. */
  readonly onRelieved?: (connection: Connection) => void;
  /** Called when all backlogs are too long, and this one is the longest. */
  readonly onOverflow?: (connection: Connection) => void;
}

/** One TCP or TLS connection that carries messages. */
export class Connection {
  readonly #conn: Deno.Conn;
  readonly #from: SchemeAddr;
  readonly #shared: Shared;
  readonly #options: StreamSettings;
  readonly #incoming: Incoming;
  readonly #backlog: Backlog;
  #shakesSince: number | undefined;
  #finishingSince: number | undefined;
  #sent = 0;
  #closed = false;
  // Why nothing more can be sent.
  #failure: unknown;
  #fault: Fault | undefined;
  #awaitsRepliesSince: number | undefined;

  constructor(conn: Deno.Conn, from: SchemeAddr, shared: Shared) {
    this.#conn = conn;
    this.#from = copyAddr(from);
    this.#shared = shared;
    this.#options = shared.options;
    this.#incoming = new Incoming(conn, shared.options, shared.losses);
    this.#backlog = new Backlog({
      gathers: shared.isListening === true && isTls(conn),
      write: (bytes) => conn.write(bytes),
      broken: (error) => {
        this.#fail(brokenBy(error, this.#fault));
        shared.onBroken?.(this);
      },
      behind: (isBehind) => {
        if (!isBehind) shared.onRelieved?.(this);
      },
      overflow: () => shared.onOverflow?.(this),
    }, shared.backlogs);
  }

  /** The peer: a copy, which the program may change. */
  get from(): SchemeAddr {
    return copyAddr(this.#from);
  }

  /** Whether the peer has closed its sending side. */
  get ended(): boolean {
    return this.#incoming.ended;
  }

  /** As {@linkcode Incoming.malformed}. */
  get malformed(): boolean {
    return this.#incoming.malformed;
  }

  /** Whether this end has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many messages were sent and received, by the program or not. */
  get counts(): { sent: number; received: number } {
    return { sent: this.#sent, received: this.#incoming.received };
  }

  /** Whether so much waits to be sent that nothing more is read. */
  get isBehind(): boolean {
    return this.#backlog.isBehind;
  }

  /** Completes the TLS handshake, if the connection uses TLS. */
  async shakeHands(): Promise<void> {
    const conn = this.#conn;
    if (!isTls(conn)) return;
    this.#shakesSince = performance.now();
    await conn.handshake();
    this.#shakesSince = undefined;
  }

  /** As {@linkcode Incoming.next}. */
  next(into: Uint8Array): number | undefined {
    return this.#incoming.next(into);
  }

  /** Whether its TLS handshake is not complete. */
  get isShakingHands(): boolean {
    return this.#shakesSince !== undefined;
  }

  /**
   * As {@linkcode Incoming.read}.
   *
   * @throws {Deno.errors.ConnectionReset} The connection has ended.
   */
  async read(): Promise<void> {
    try {
      await this.#incoming.read();
    } catch (error) {
      throw brokenBy(error, this.#fault);
    }
  }

  /** Counts a message of which only a part has arrived, once. */
  cut(): void {
    this.#incoming.cut();
  }

  /** Drops the messages that have arrived whole, and counts them. */
  drop(): void {
    this.#incoming.drop();
  }

  /** Drops the messages that have arrived, and counts them. */
  discard(): void {
    this.drop();
    this.cut();
  }

  /**
   * Puts a message into the backlog. It waits for no peer.
   *
   * @returns What to await, now and then: a turn of the event loop.
   * @throws {TypeError} The framing cannot carry the message.
   * @throws {Deno.errors.Busy} Too much waits already.
   * @throws {Deno.errors.NotConnected} The connection has ended.
   */
  enqueue(message: Uint8Array): Promise<void> | undefined {
    return quickTurnIsDue()
      ? turned().then(() => this.#enqueue(message))
      : this.#enqueue(message);
  }

  #enqueue(message: Uint8Array): Promise<void> | undefined {
    this.#push(message);
    // A peer that reads has taken a part of it after a turn.
    return this.#backlog.isBehind ? round() : undefined;
  }

  /**
   * Sends a message, and waits for the peer to take it. It is not called
   * concurrently.
   *
   * @throws {TypeError} The framing cannot carry the message.
   * @throws {Deno.errors.TimedOut} The peer reads nothing.
   * @throws {Deno.errors.ConnectionReset} The connection has ended.
   */
  async write(message: Uint8Array): Promise<void> {
    // Writes that fit into the TLS library's buffer complete without a turn of
    // the event loop, so timers and other connections would wait while a program
    // sends. No upstream issue is known. Remove when tests/tls_test.ts passes
    // without it.
    if (quickTurnIsDue()) await turned();
    if (this.#failure !== undefined) throw this.#failure;
    this.#push(message);
    await this.#backlog.flushed();
  }

  #push(message: Uint8Array): void {
    this.#backlog.push(FRAMINGS[this.#options.framing].encode(message));
    this.#sent++;
  }

  /** Returns the limit that the connection has exceeded, if any. */
  lateness(now: number): Lateness | undefined {
    const { handshakeMs, sendMs } = this.#options;
    if (
      this.#backlog.isStalled(now, sendMs) ||
      now - (this.#finishingSince ?? now) > sendMs
    ) return "unread";
    return now - (this.#shakesSince ?? now) > handshakeMs
      ? "handshake"
      : this.#incoming.lateness(now, this.#backlog.movedAt);
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
    if (since === undefined || this.#backlog.length > 0) return false;
    const { replyMs } = this.#options;
    const isReplied = this.#sent >= this.#incoming.received;
    const limit = isReplied ? Math.min(LINGER_MS, replyMs) : replyMs;
    return now - Math.max(since, this.#backlog.movedAt) >= limit;
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
  close(fault?: Fault): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fault = fault;
    const cause = new errors.Interrupted("closed");
    this.#fail(
      fault === "unread"
        ? notRead(this.#options.sendMs, cause)
        : brokenBy(cause, fault),
    );
    try {
      this.#conn.close();
    } catch {
      // The connection had failed before.
    }
  }

  /** Ends the backlog. A part of a message may have been sent, so none can follow. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#shared.losses.unsent += this.#backlog.end(error);
  }

  /**
   * Sends what waits, closes the sending side, and closes the connection when
   * the peer is silent.
   *
   * @param isClient Whether the peer sends only replies: then the connection is
   * closed as soon as the peer has replied to everything.
   */
  async end(isClient: boolean): Promise<void> {
    this.ref();
    try {
      await this.#flush();
      if (this.#sent > 0 && !this.#closed) {
        const now = this.#finishingSince = performance.now();
        await this.#conn.closeWrite();
        this.#finishingSince = undefined;
        await readReplies(this, isClient, now + this.#options.sendMs);
      }
    } catch {
      // The peer has closed it already.
    }
    this.close();
    this.discard();
  }

  async #flush(): Promise<void> {
    if (this.#backlog.length === 0) return;
    const { sendMs } = this.#options;
    const { held } = this.#backlog;
    const waiting = patience(sendMs, held, () => this.#backlog.written);
    await Promise.race([this.#backlog.flushed(), waiting.over])
      .finally(waiting.stop);
    if (this.#backlog.length > 0) this.close("unread");
  }
}

function isTls(conn: Deno.Conn): conn is Deno.TlsConn {
  return "handshake" in conn;
}

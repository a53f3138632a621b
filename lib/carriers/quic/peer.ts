import { copyAddr, type NetAddr } from "../../addr.ts";
import { count } from "../../count.ts";
import { MessageTooLargeError } from "../../errors.ts";
import { clearTimeout, setTimeout } from "../../platform.ts";
import { reasonOf } from "../../warnings.ts";
import { patience } from "../patience.ts";
import { Share } from "./arrivals.ts";
import { KIND } from "./control.ts";
import { CODE, endOf, meaningOf, notConnected } from "./failures.ts";
import { Incoming } from "./incoming.ts";
import { Outgoing } from "./outgoing.ts";
import type { Parts } from "./parts.ts";
import { quicAddr } from "./scheme_addr.ts";

// How long an end that leaves waits for a peer that has already left to close.
const FAREWELL_MS = 3_000;
// What the system's buffers of a connection hold, in bytes.
const IN_FLIGHT = 1_250_000;

/**
 * One connection after both hellos. Its datagrams are QUIC's (RFC 9221). They
 * are read at once and queued here, because Deno's QUIC library drops the oldest
 * without counting it when its own buffer is full
 * (https://github.com/quinn-rs/quinn/issues/933); the queue can go when Deno
 * counts them. If an end asked for reliable messages, they are sent on one
 * stream instead and confirmed as they are taken.
 */
export class Peer {
  /**
   * Resolves when the connection has ended and everything received is queued. It
   * does not wait for the program to receive. The value says why it ended.
   */
  readonly gone: Promise<string>;
  readonly #parts: Parts;
  readonly #share: Share;
  readonly #reliable: boolean;
  readonly #largest: number;
  readonly #incoming: Incoming;
  readonly #outgoing: Outgoing;
  readonly #answered = Promise.withResolvers<void>();
  #why: string | undefined;
  #isLeaving = false;
  #isGone = false;
  #sending = 0;
  #onSent: PromiseWithResolvers<void> | undefined;
  #farewell: ReturnType<typeof setTimeout> | undefined;
  // Counts of this connection: sent, received, and what the peer reports.
  #datagramsSent = 0;
  #datagramsReceived = 0;
  #datagramsAnnounced = 0;
  #messagesAnnounced = 0;
  #isAnswerDue = false;

  constructor(parts: Parts) {
    const { conn, control, own, theirs, arrivals, backlogs, counts } = parts;
    const share = new Share(quicAddr(conn.remoteAddr));
    this.#parts = parts;
    this.#share = share;
    this.#reliable = own.reliable || theirs.reliable;
    this.#largest = Math.min(own.largest, theirs.largest);
    this.#incoming = new Incoming({
      ...{ conn, control, arrivals, share, counts, largest: own.largest },
    });
    this.#outgoing = new Outgoing(conn, backlogs, {
      // A stream fails only with its connection, or if the peer breaks it.
      broken: () => conn.close({ closeCode: CODE.protocol, reason: "" }),
      behind: (isBehind) =>
        isBehind ? arrivals.holdBack(share) : arrivals.resume(share),
      overflow: () => this.#closeUnread(),
    });
    this.gone = this.#run();
  }

  /** Where the peer is: a copy. It changes if a NAT gives it another port. */
  get addr(): NetAddr {
    return copyAddr(this.#share.from);
  }

  /** Notes where the peer is now. */
  renew(): void {
    if (this.#isGone) return;
    const { hostname, port } = this.#parts.conn.remoteAddr;
    const { from } = this.#share;
    if (from.port === port && from.hostname === hostname) return;
    this.#share.from = quicAddr({ hostname, port });
  }

  /** The longest message that can be sent to it now, in bytes. */
  get maxSize(): number {
    return this.#reliable
      ? this.#largest
      : Math.min(this.#largest, this.#parts.conn.maxDatagramSize);
  }

  /** Sends a message. Resolves when the system has taken it. */
  async send(data: Uint8Array): Promise<number> {
    if (this.#isLeaving) throw notConnected(this.#why);
    this.#sending++;
    try {
      const sending = this.#reliable
        ? this.#sendMessage(data)
        : this.#sendDatagram(data);
      // Usually it is done. Each `await` would let further sends wait in line.
      if (sending !== undefined) await sending;
    } finally {
      if (--this.#sending === 0) this.#onSent?.resolve();
    }
    const { counts } = this.#parts;
    counts.sent[this.#reliable ? "messages" : "datagrams"]++;
    return data.length;
  }

  /**
   * Says goodbye and waits while the peer goes on taking what was sent. Then
   * closes the connection.
   */
  async end(): Promise<void> {
    this.#isLeaving = true;
    if (this.#farewell !== undefined) {
      // It has left, so it takes nothing.
      const timer = this.#closeAfter(FAREWELL_MS);
      await this.gone;
      return clearTimeout(timer);
    }
    const waiting = patience(
      this.#parts.endMs,
      this.#outgoing.held + IN_FLIGHT,
      () => this.#outgoing.progress,
    );
    const ended = Promise.race([this.gone, waiting.over]);
    if (this.#sending > 0) {
      this.#onSent = Promise.withResolvers();
      await Promise.race([this.#onSent.promise, ended]);
    }
    await Promise.race([this.#outgoing.flushed().catch(() => {}), ended]);
    await Promise.race([ended, this.#answered.promise, this.#sayGoodbye()]);
    this.#answerGoodbye();
    await Promise.race([ended, this.#answered.promise]);
    waiting.stop();
    this.close(CODE.goodbye);
    await this.gone;
  }

  /** Closes the connection if the peer has taken nothing of a backlog for too long. */
  check(now: number): void {
    const { idleMs } = this.#parts;
    if (this.#outgoing.isStalled(now, idleMs)) this.#closeUnread();
  }

  #closeUnread(): void {
    if (this.#isGone) return;
    this.#parts.onUnread?.();
    this.close(CODE.stalled, "it received no messages for too long");
    this.#outgoing.end(notConnected(this.#why));
  }

  /** Closes the connection at once. The peer is sent the code only. */
  close(closeCode: number, why = "the connection is closed"): void {
    this.#isLeaving = true;
    this.#why ??= why;
    this.#parts.conn.close({ closeCode, reason: "" });
  }

  async #run(): Promise<string> {
    const { conn, arrivals, drops } = this.#parts;
    const messages = this.#reliable ? this.#readMessages() : undefined;
    const control = this.#readControl();
    await this.#readDatagrams();
    this.#isLeaving = true;
    const why = await conn.closed.then(meaningOf, endOf);
    this.#why ??= why;
    this.#outgoing.end(notConnected(this.#why));
    arrivals.leave(this.#share);
    await Promise.all([messages, control]);
    this.#isGone = true;
    this.#incoming.stop();
    clearTimeout(this.#farewell);
    const { sent, confirmed } = this.#outgoing;
    drops.unconfirmed += Math.max(0, sent - confirmed);
    for (
      const missing of [
        this.#datagramsAnnounced - this.#datagramsReceived,
        this.#messagesAnnounced - this.#incoming.read,
      ]
    ) drops.lost += Math.max(0, missing);
    return this.#why;
  }

  /** Reads datagrams until the connection ends. */
  async #readDatagrams(): Promise<void> {
    const { conn, arrivals, counts } = this.#parts;
    try {
      for (;;) {
        const data = await conn.readDatagram();
        this.#datagramsReceived++;
        counts.received.datagrams++;
        arrivals.push(this.#share, data);
      }
    } catch {
      // `closed` reports the reason.
    }
  }

  async #readMessages(): Promise<void> {
    const end = await this.#incoming.run(() => this.#answerGoodbye());
    if (end === "too long") {
      this.close(CODE.protocol, "it sent a message that is too long");
    }
  }

  async #readControl(): Promise<void> {
    const { control } = this.#parts;
    for (;;) {
      const frame = await control.receive();
      if (frame === undefined) return;
      const { kind, count } = frame;
      if (!Number.isSafeInteger(count)) {
        return this.close(CODE.protocol, "it sent an impossible count");
      }
      if (kind === KIND.taken || kind === KIND.answer) {
        this.#outgoing.confirm(count);
        if (kind === KIND.answer) this.#answered.resolve();
      } else if (kind === KIND.datagrams) this.#datagramsAnnounced = count;
      else if (kind === KIND.goodbye) {
        this.#isLeaving = true;
        this.#why ??= meaningOf({ closeCode: CODE.goodbye, reason: "" });
        this.#messagesAnnounced = count;
        this.#isAnswerDue = true;
        this.#answerGoodbye();
      } else {
        return this.close(CODE.protocol, "it sent an unknown frame");
      }
    }
  }

  async #sendDatagram(data: Uint8Array): Promise<void> {
    const { conn } = this.#parts;
    try {
      await conn.sendDatagram(data);
    } catch (error) {
      if (reasonOf(error) === "datagram too large") {
        throw new MessageTooLargeError(
          `Cannot send ${
            count(data.length, "byte")
          }: one datagram on this connection now holds at most ${this.maxSize}`,
        );
      }
      throw notConnected(
        this.#why ?? await conn.closed.then(meaningOf, endOf),
      );
    }
    this.#datagramsSent++;
  }

  #sendMessage(data: Uint8Array): Promise<void> | undefined {
    return this.#parts.waits
      ? this.#outgoing.write(data)
      : this.#outgoing.enqueue(data);
  }

  async #sayGoodbye(): Promise<void> {
    const { control } = this.#parts;
    await control.send(KIND.datagrams, this.#datagramsSent);
    await control.send(KIND.goodbye, this.#outgoing.sent);
  }

  /** Replies once all announced messages are taken, or can no longer be. */
  #answerGoodbye(): void {
    if (!this.#isAnswerDue) return;
    const isMissing = this.#incoming.taken < this.#messagesAnnounced;
    if (isMissing && !this.#parts.arrivals.isOver) return;
    this.#isAnswerDue = false;
    this.#parts.control.send(KIND.answer, this.#incoming.taken);
    // Then the peer closes. Its packet may be lost and is not sent again.
    this.#farewell = this.#closeAfter(this.#parts.idleMs);
  }

  #closeAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.close(CODE.goodbye), ms);
  }
}

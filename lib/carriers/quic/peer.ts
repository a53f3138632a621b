import type { NetAddr } from "../../addr.ts";
import { count } from "../../count.ts";
import { MessageTooLargeError } from "../../errors.ts";
import { reasonOf } from "../../warnings.ts";
import type { Arrivals, Share } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { type Control, KIND } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { CODE, endOf, meaningOf, notConnected } from "./failures.ts";
import type { Hello } from "./hello.ts";
import { encodeMessage, readMessage } from "./messages.ts";
import { patience } from "./patience.ts";

// How long an end that leaves waits for a peer that has already left to close.
const FAREWELL_MS = 3_000;
// How long taken messages may remain unconfirmed.
const CONFIRM_MS = 10;

/** What a peer is made of. */
export interface Parts {
  conn: Deno.QuicConn;
  control: Control;
  addr: NetAddr;
  own: Hello;
  theirs: Hello;
  idleMs: number;
  arrivals: Arrivals;
  drops: Drops;
  counts: Counts;
}

/**
 * One connection after both hellos. Its datagrams are QUIC's (RFC 9221). They
 * are read at once and queued here, because Deno's QUIC library drops the oldest
 * without counting it when its own buffer is full
 * (https://github.com/quinn-rs/quinn/issues/933); the queue can go when Deno
 * counts them. If an end asked for reliable messages, they are sent on one
 * stream instead and confirmed as they are taken.
 */
export class Peer {
  readonly addr: NetAddr;
  /**
   * Resolves when the connection has ended and everything received is queued.
   * The value says why it ended.
   */
  readonly gone: Promise<string>;
  readonly #parts: Parts;
  readonly #share: Share;
  readonly #reliable: boolean;
  readonly #largest: number;
  readonly #answered = Promise.withResolvers<void>();
  #messages: Promise<WritableStreamDefaultWriter<Uint8Array>> | undefined;
  #why: string | undefined;
  #isLeaving = false;
  #isGone = false;
  #sending = 0;
  #onSent: PromiseWithResolvers<void> | undefined;
  #confirming: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #farewell: ReturnType<typeof setTimeout> | undefined;
  // Counts of this connection: sent, received, and what the peer reports.
  #datagramsSent = 0;
  #datagramsReceived = 0;
  #datagramsAnnounced: number | undefined;
  #messagesSent = 0;
  #messagesConfirmed = 0;
  #messagesTaken = 0;
  #messagesAnnounced: number | undefined;

  constructor(parts: Parts) {
    const { addr, own, theirs } = parts;
    this.#parts = parts;
    this.addr = addr;
    this.#share = { from: addr, held: 0 };
    this.#reliable = own.reliable || theirs.reliable;
    this.#largest = Math.min(own.largest, theirs.largest);
    this.gone = this.#run();
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
      await (this.#reliable
        ? this.#sendMessage(data)
        : this.#sendDatagram(data));
      return data.length;
    } finally {
      if (--this.#sending === 0) this.#onSent?.resolve();
    }
  }

  /**
   * Says goodbye and waits while the peer goes on taking what was sent. Then
   * closes the connection.
   */
  async end(): Promise<void> {
    const { idleMs } = this.#parts;
    this.#isLeaving = true;
    if (this.#farewell !== undefined) {
      // It has left, so it takes nothing.
      const timer = this.#closeAfter(FAREWELL_MS);
      await this.gone;
      return clearTimeout(timer);
    }
    const waiting = patience(idleMs, () => this.#messagesConfirmed);
    const ended = Promise.race([this.gone, waiting.over]);
    if (this.#sending > 0) {
      this.#onSent = Promise.withResolvers();
      await Promise.race([this.#onSent.promise, ended]);
    }
    await Promise.race([ended, this.#answered.promise, this.#sayGoodbye()]);
    this.#answerGoodbye();
    await Promise.race([ended, this.#answered.promise]);
    waiting.stop();
    this.close(CODE.goodbye);
    await this.gone;
  }

  /** Closes the connection at once. The peer is sent the code only. */
  close(closeCode: number, why = "the connection is closed"): void {
    this.#isLeaving = true;
    this.#why ??= why;
    this.#parts.conn.close({ closeCode, reason: "" });
  }

  async #run(): Promise<string> {
    const messages = this.#reliable ? this.#readMessages() : undefined;
    const control = this.#readControl();
    await this.#readDatagrams();
    this.#isLeaving = true;
    await Promise.all([messages, control]);
    this.#isGone = true;
    clearTimeout(this.#confirming);
    clearTimeout(this.#watchdog);
    clearTimeout(this.#farewell);
    const { drops } = this.#parts;
    const announced = this.#datagramsAnnounced ?? 0;
    drops.lost += Math.max(0, announced - this.#datagramsReceived);
    drops.unconfirmed += Math.max(
      0,
      this.#messagesSent - this.#messagesConfirmed,
    );
    this.#why ??= await this.#parts.conn.closed.then(meaningOf, endOf);
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
    const { conn, arrivals, counts, own } = this.#parts;
    try {
      const streams = conn.incomingUnidirectionalStreams.getReader();
      const { value: stream } = await streams.read();
      if (stream === undefined) return;
      const bytes = new ByteReader(stream);
      for (;;) {
        const data = await readMessage(bytes, own.largest);
        if (data === "too long") {
          return this.close(
            CODE.protocol,
            "it sent a message that is too long",
          );
        }
        if (data === undefined) return;
        if (!await arrivals.room(this.#share, data.length)) return;
        arrivals.push(this.#share, data);
        this.#messagesTaken++;
        counts.received.messages++;
        this.#confirm();
        this.#answerGoodbye();
      }
    } catch {
      // `closed` reports the reason.
    }
  }

  async #readControl(): Promise<void> {
    const { control } = this.#parts;
    for (;;) {
      const frame = await control.receive();
      if (frame === undefined) return;
      const { kind, count } = frame;
      if (kind === KIND.taken || kind === KIND.answer) {
        this.#messagesConfirmed = count;
        if (kind === KIND.answer) this.#answered.resolve();
      } else if (kind === KIND.datagrams) this.#datagramsAnnounced = count;
      else if (kind === KIND.goodbye) {
        this.#isLeaving = true;
        this.#why ??= meaningOf({ closeCode: CODE.goodbye, reason: "" });
        this.#messagesAnnounced = count;
        this.#answerGoodbye();
      } else {
        return this.close(CODE.protocol, "it sent an unknown frame");
      }
    }
  }

  async #sendDatagram(data: Uint8Array): Promise<void> {
    const { conn, counts } = this.#parts;
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
      throw await this.#broken();
    }
    this.#datagramsSent++;
    counts.sent.datagrams++;
  }

  async #sendMessage(data: Uint8Array): Promise<void> {
    const { conn, counts } = this.#parts;
    this.#watch();
    try {
      this.#messages ??= conn.createUnidirectionalStream({
        waitUntilAvailable: true,
      }).then((stream) => stream.getWriter());
      const writer = await this.#messages;
      await writer.write(encodeMessage(data));
    } catch {
      throw await this.#broken();
    }
    this.#messagesSent++;
    counts.sent.messages++;
  }

  /** Closes the connection, so that waiting sends reject, if none has progressed. */
  #watch(): void {
    const sent = this.#messagesSent;
    this.#watchdog ??= setTimeout(() => {
      this.#watchdog = undefined;
      if (this.#sending === 0) return;
      if (this.#messagesSent > sent) this.#watch();
      else this.close(CODE.stalled, "it received no messages for too long");
    }, this.#parts.idleMs);
  }

  /** A stream fails only with its connection, or if the peer breaks it. */
  async #broken(): Promise<Error> {
    this.#parts.conn.close({ closeCode: CODE.protocol, reason: "" });
    return notConnected(await this.gone);
  }

  /** Confirms the messages taken so far: not each one, and one frame at a time. */
  #confirm(): void {
    this.#confirming ??= setTimeout(async () => {
      const taken = this.#messagesTaken;
      await this.#parts.control.send(KIND.taken, taken);
      this.#confirming = undefined;
      if (taken < this.#messagesTaken && !this.#isGone) this.#confirm();
    }, CONFIRM_MS);
  }

  async #sayGoodbye(): Promise<void> {
    const { control } = this.#parts;
    await control.send(KIND.datagrams, this.#datagramsSent);
    await control.send(KIND.goodbye, this.#messagesSent);
  }

  /** Replies once all announced messages are taken, or can no longer be. */
  #answerGoodbye(): void {
    const announced = this.#messagesAnnounced;
    if (announced === undefined) return;
    if (this.#messagesTaken < announced && !this.#parts.arrivals.isOver) return;
    this.#messagesAnnounced = undefined;
    this.#parts.control.send(KIND.answer, this.#messagesTaken);
    // Then the peer closes. Its packet may be lost and is not sent again.
    this.#farewell = this.#closeAfter(this.#parts.idleMs);
  }

  #closeAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.close(CODE.goodbye), ms);
  }
}

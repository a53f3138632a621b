import type { NetAddr } from "../../addr.ts";
import { errors, MessageTooLargeError } from "../../errors.ts";
import type { Arrivals, Share } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { type Control, KIND } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { CODE, meaningOf } from "./failures.ts";
import { type Hello, viewOf } from "./hello.ts";

// A goodbye waits while the peer goes on confirming, but not for ever: so many
// times what a peer may be silent.
const MAX_IDLES = 4;
// How long an end that leaves waits for a peer that has left to close.
const FAREWELL_MS = 3_000;
// How long messages that are taken may wait to be confirmed.
const CONFIRM_MS = 10;
const LENGTH = 4;

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
 * One connection whose ends have said hello. Datagrams go as QUIC's own (RFC
 * 9221), and are read at once, since Deno drops the oldest without a word where
 * they are not. Where an end wants it reliable, messages go on one stream, each
 * after its length (4 bytes), and are confirmed as they are taken.
 */
export class Peer {
  readonly addr: NetAddr;
  /** Resolves when the connection has ended and all that came is read: why. */
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
  // Of this connection: what went, what came, and what the peer says of that.
  #datagramsSent = 0;
  #datagramsCame = 0;
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

  /** The longest message to it now, in bytes. */
  get maxSize(): number {
    return this.#reliable
      ? this.#largest
      : Math.min(this.#largest, this.#parts.conn.maxDatagramSize);
  }

  /** Resolves when the system has taken it. */
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
   * Says goodbye, and waits until the peer has taken what was sent, as long as
   * it goes on taking. Then closes.
   */
  async end(): Promise<void> {
    this.#isLeaving = true;
    if (this.#farewell !== undefined) {
      // It receives nothing any more.
      const timer = this.#closeAfter(FAREWELL_MS);
      await this.gone;
      return clearTimeout(timer);
    }
    const patience = this.#patience();
    const ended = Promise.race([this.gone, patience.over]);
    if (this.#sending > 0) {
      this.#onSent = Promise.withResolvers();
      await Promise.race([this.#onSent.promise, ended]);
    }
    await Promise.race([ended, this.#answered.promise, this.#sayGoodbye()]);
    this.#answerGoodbye();
    await Promise.race([ended, this.#answered.promise]);
    patience.stop();
    this.close(CODE.goodbye);
    await this.gone;
  }

  /** Closes at once. The code says why. */
  close(closeCode: number, why = "the connection is closed"): void {
    this.#isLeaving = true;
    this.#why ??= why;
    this.#parts.conn.close({ closeCode, reason: "" });
  }

  async #run(): Promise<string> {
    const messages = this.#reliable ? this.#readMessages() : undefined;
    const control = this.#hear();
    await this.#readDatagrams();
    this.#isLeaving = true;
    await Promise.all([messages, control]);
    this.#isGone = true;
    clearTimeout(this.#confirming);
    clearTimeout(this.#watchdog);
    clearTimeout(this.#farewell);
    const { drops } = this.#parts;
    const announced = this.#datagramsAnnounced ?? 0;
    drops.lost += Math.max(0, announced - this.#datagramsCame);
    drops.unconfirmed += Math.max(
      0,
      this.#messagesSent - this.#messagesConfirmed,
    );
    this.#why ??= await this.#parts.conn.closed.then(meaningOf, lost);
    return this.#why;
  }

  /** Ends when the connection does. */
  async #readDatagrams(): Promise<void> {
    const { conn, arrivals, counts } = this.#parts;
    try {
      for (;;) {
        const data = await conn.readDatagram();
        this.#datagramsCame++;
        counts.received.datagrams++;
        arrivals.push(this.#share, data);
      }
    } catch {
      // `closed` says why.
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
        const length = await bytes.take(LENGTH);
        if (length === undefined) return;
        const size = viewOf(length).getUint32(0);
        if (size > own.largest) {
          return this.close(CODE.protocol, "it sent more than was agreed");
        }
        const data = await bytes.take(size);
        if (data === undefined) return;
        if (!await arrivals.room(this.#share, size)) return;
        arrivals.push(this.#share, data);
        this.#messagesTaken++;
        counts.received.messages++;
        this.#confirm();
        this.#answerGoodbye();
      }
    } catch {
      // `closed` says why.
    }
  }

  async #hear(): Promise<void> {
    const { control } = this.#parts;
    for (;;) {
      const heard = await control.hear();
      if (heard === undefined) return;
      const { kind, count } = heard;
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
        return this.close(CODE.protocol, "it said what is not understood");
      }
    }
  }

  async #sendDatagram(data: Uint8Array): Promise<void> {
    const { conn, counts } = this.#parts;
    try {
      await conn.sendDatagram(data);
    } catch (error) {
      if ((error as Error).message === "datagram too large") {
        throw new MessageTooLargeError(
          `Cannot send ${data.length} bytes: one datagram on this connection now holds at most ${this.maxSize}`,
        );
      }
      throw await this.#broken();
    }
    this.#datagramsSent++;
    counts.sent.datagrams++;
  }

  async #sendMessage(data: Uint8Array): Promise<void> {
    const { conn, counts } = this.#parts;
    const framed = new Uint8Array(LENGTH + data.length);
    viewOf(framed).setUint32(0, data.length);
    framed.set(data, LENGTH);
    this.#watch();
    try {
      this.#messages ??= conn.createUnidirectionalStream({
        waitUntilAvailable: true,
      }).then((stream) => stream.getWriter());
      const writer = await this.#messages;
      await writer.write(framed);
    } catch {
      throw await this.#broken();
    }
    this.#messagesSent++;
    counts.sent.messages++;
  }

  /** Lets go of a peer that takes no messages, and of the sends that wait for it. */
  #watch(): void {
    const sent = this.#messagesSent;
    this.#watchdog ??= setTimeout(() => {
      this.#watchdog = undefined;
      if (this.#sending === 0) return;
      if (this.#messagesSent > sent) this.#watch();
      else this.close(CODE.stalled, "it took no messages for too long");
    }, this.#parts.idleMs);
  }

  /** A stream fails only with its connection, or because the peer breaks it. */
  async #broken(): Promise<Error> {
    this.#parts.conn.close({ closeCode: CODE.protocol, reason: "" });
    return notConnected(await this.gone);
  }

  /** Tells how many messages are taken: not for each, and one report at a time. */
  #confirm(): void {
    this.#confirming ??= setTimeout(async () => {
      const said = this.#messagesTaken;
      await this.#parts.control.say(KIND.taken, said);
      this.#confirming = undefined;
      if (said < this.#messagesTaken && !this.#isGone) this.#confirm();
    }, CONFIRM_MS);
  }

  async #sayGoodbye(): Promise<void> {
    const { control } = this.#parts;
    await control.say(KIND.datagrams, this.#datagramsSent);
    await control.say(KIND.goodbye, this.#messagesSent);
  }

  /** Once all that was announced is taken, or when nobody takes it any more. */
  #answerGoodbye(): void {
    const announced = this.#messagesAnnounced;
    if (announced === undefined) return;
    if (this.#messagesTaken < announced && !this.#parts.arrivals.isOver) return;
    this.#messagesAnnounced = undefined;
    this.#parts.control.say(KIND.answer, this.#messagesTaken);
    // The peer closes then; but that may be lost, and is sent once.
    this.#farewell = this.#closeAfter(this.#parts.idleMs);
  }

  #closeAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.close(CODE.goodbye), ms);
  }

  /** Is over when the peer has confirmed nothing for long. */
  #patience(): { over: Promise<void>; stop: () => void } {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    let confirmed = this.#messagesConfirmed;
    let idles = 0;
    const timer = setInterval(() => {
      const isStill = confirmed === this.#messagesConfirmed;
      if (isStill || ++idles === MAX_IDLES) resolve();
      confirmed = this.#messagesConfirmed;
    }, this.#parts.idleMs);
    return { over, stop: () => clearInterval(timer) };
  }
}

function notConnected(why = "the connection is closed"): Error {
  return new errors.NotConnected(why);
}

function lost({ message }: Error): string {
  return message === "timed out"
    ? "the connection is lost: nothing was heard of the peer"
    : `the connection is lost: ${message}`;
}

import { clearTimeout, setTimeout } from "../../platform.ts";
import { quickTurnIsDue, turned } from "../../turns.ts";
import type { Arrivals, Share } from "./arrivals.ts";
import { ByteReader, READ_SIZE } from "./byte_reader.ts";
import { type Control, KIND } from "./control.ts";
import type { Counts } from "./counts.ts";
import { MessageReader } from "./messages.ts";

// How long taken messages, and bytes of one, may remain unconfirmed.
const CONFIRM_MS = 10;

/** What the messages of one peer are read from, and where they go. */
export interface Channel {
  readonly conn: Deno.QuicConn;
  readonly control: Control;
  readonly arrivals: Arrivals;
  readonly share: Share;
  readonly counts: Counts;
  /** The longest message that is accepted, in bytes. */
  readonly largest: number;
}

/** The messages from one peer, on one stream. */
export class Incoming {
  /** How many messages were read. */
  read = 0;
  /** How many of them were queued for the program. */
  taken = 0;
  readonly #channel: Channel;
  #confirming: ReturnType<typeof setTimeout> | undefined;
  #hasNews = false;
  #isOver = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * Reads messages until the stream or the connection ends.
   *
   * @param onTaken Called after each one that was queued.
   * @returns Whether the peer has sent a message that is too long.
   */
  async run(onTaken: () => void): Promise<"too long" | undefined> {
    const { conn, arrivals, share, counts, largest } = this.#channel;
    try {
      const streams = conn.incomingUnidirectionalStreams.getReader();
      const { value: stream } = await streams.read();
      if (stream === undefined) return undefined;
      const bytes = new ByteReader(
        stream,
        READ_SIZE,
        () => this.#confirm(),
      );
      const messages = new MessageReader(bytes, largest);
      for (;;) {
        const data = messages.next() ?? await messages.read();
        if (data === "too long" || data === undefined) return data;
        if (quickTurnIsDue()) await turned();
        if (
          !arrivals.hasRoom(share, data.length) &&
          !await arrivals.room(share, data.length)
        ) return undefined;
        this.read++;
        if (!arrivals.push(share, data)) continue;
        this.taken++;
        counts.received.messages++;
        this.#confirm();
        onTaken();
      }
    } catch {
      // `closed` of the connection reports the reason.
      return undefined;
    }
  }

  /** Stops confirming: the connection has ended. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#confirming);
  }

  /**
   * Confirms the messages taken so far: not each one, and one frame at a time. It
   * does so also when bytes of a message have arrived, so that the sender can
   * tell a long one from a peer that takes nothing.
   */
  #confirm(): void {
    this.#hasNews = true;
    if (this.#isOver) return;
    this.#confirming ??= setTimeout(async () => {
      this.#hasNews = false;
      await this.#channel.control.send(KIND.taken, this.taken);
      this.#confirming = undefined;
      if (this.#hasNews) this.#confirm();
    }, CONFIRM_MS);
  }
}

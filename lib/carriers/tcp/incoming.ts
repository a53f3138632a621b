import { performance, setTimeout } from "../../platform.ts";
import { quickTurnIsDue, turned } from "../../turns.ts";
import type { Lateness } from "./failures.ts";
import { FRAMINGS } from "./framing.ts";
import type { StreamSettings } from "./limits.ts";
import type { Losses } from "./losses.ts";

const READ_SIZE = 16 * 1024;
const NOWHERE = new Uint8Array();
// 16 MB of a line that nobody gets are skipped per second.
const REST_MS = 1;

/** The messages from one peer, and how long it takes to send them. */
export class Incoming {
  /** How many messages were received, by the program or not. */
  received = 0;
  readonly #conn: Deno.Conn;
  readonly #options: StreamSettings;
  readonly #losses: Losses;
  readonly #decoder;
  #ended = false;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #reading: Promise<void> | undefined;
  // Since when it waits for the peer, and how long it did for this message.
  #waitsSince: number | undefined;
  #waited = 0;
  #isCut = false;

  constructor(conn: Deno.Conn, options: StreamSettings, losses: Losses) {
    this.#conn = conn;
    this.#options = options;
    this.#losses = losses;
    this.#decoder = FRAMINGS[options.framing].decoder();
  }

  /** Whether the peer sent bytes in which no further message can be found. */
  get malformed(): boolean {
    return this.#decoder.malformed;
  }

  /** Whether the peer has closed its sending side. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Writes the next message that has arrived into a buffer, cut to its length.
   *
   * @returns The number of bytes written, or `undefined` if `read` is needed.
   */
  next(into: Uint8Array): number | undefined {
    const size = this.#decoder.next(into) ??
      (this.#ended ? this.#decoder.end(into) : undefined);
    if (size !== undefined) {
      this.#waited = 0;
      this.received++;
    }
    return size;
  }

  /**
   * Waits for more bytes, or for the peer to close its sending side. It does not
   * change what `next` wrote. A concurrent call waits for the same bytes.
   *
   * @throws What the connection fails with.
   */
  read(): Promise<void> {
    return this.#reading ??= this.#read();
  }

  async #read(): Promise<void> {
    // A read that need not wait does not let the event loop turn. The rest of a
    // line that is too long takes many, so its peer has to wait.
    if (this.#decoder.skips) await rest();
    else if (quickTurnIsDue()) await turned();
    this.#buffer ??= new Uint8Array(READ_SIZE);
    this.#waitsSince = performance.now();
    try {
      const size = await this.#conn.read(this.#buffer);
      if (this.#decoder.partial) {
        this.#waited += performance.now() - this.#waitsSince;
      }
      if (size === null) {
        this.#ended = true;
        this.#buffer = undefined;
      } else this.#decoder.add(this.#buffer.subarray(0, size));
    } finally {
      this.#waitsSince = undefined;
      this.#reading = undefined;
    }
  }

  /**
   * Returns the limit that the peer has exceeded, if any.
   *
   * @param sentAt When a byte was last sent to it.
   */
  lateness(now: number, sentAt: number): Lateness | undefined {
    if (this.#waitsSince === undefined) return undefined;
    const { idleMs, messageMs } = this.#options;
    if (this.#decoder.partial) {
      const waited = this.#waited + now - this.#waitsSince;
      return waited > messageMs ? "slow" : undefined;
    }
    const since = Math.max(this.#waitsSince, sentAt);
    return now - since > idleMs ? "idle" : undefined;
  }

  /** Counts a message of which only a part has arrived, once. */
  cut(): void {
    const { partial, skips } = this.#decoder;
    if (this.#isCut || !partial || skips) return;
    this.#isCut = true;
    this.#losses.incomplete++;
  }

  /** Drops the messages that have arrived whole, and counts them. */
  drop(): void {
    let dropped = this.#decoder.skip();
    if (this.#ended && this.#decoder.end(NOWHERE) !== undefined) dropped++;
    this.received += dropped;
    this.#losses.closed += dropped;
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, REST_MS));
}

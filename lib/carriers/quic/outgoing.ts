import { performance } from "../../platform.ts";
import { quickTurnIsDue, round, turned } from "../../turns.ts";
import { Backlog, type Backlogs, type Outlet } from "../backlog.ts";
import { encodeMessage } from "./messages.ts";

/** The messages to one peer, on one stream, and how many of them it has taken. */
export class Outgoing {
  /** How many messages were sent, written or not. */
  sent = 0;
  /** How many of them the peer has confirmed. */
  confirmed = 0;
  readonly #conn: Deno.QuicConn;
  readonly #backlog: Backlog;
  #stream: Promise<WritableStreamDefaultWriter<Uint8Array>> | undefined;
  #confirmations = 0;
  #confirmedAt = 0;

  constructor(
    conn: Deno.QuicConn,
    backlogs: Backlogs,
    outlet: Omit<Outlet, "write">,
  ) {
    this.#conn = conn;
    const write = (bytes: Uint8Array) => this.#write(bytes);
    this.#backlog = new Backlog({ ...outlet, write }, backlogs);
  }

  /** How many bytes wait to be written. */
  get held(): number {
    return this.#backlog.held;
  }

  /** A number that changes when bytes are written, or the peer has read some. */
  get progress(): number {
    return this.#backlog.written + this.#confirmations;
  }

  /** Whether messages wait, and for how long there was no progress. */
  isStalled(now: number, ms: number): boolean {
    return this.#backlog.isStalled(now, ms) && now - this.#confirmedAt > ms;
  }

  /** Notes what the peer has taken. It reports that also while it reads. */
  confirm(count: number): void {
    this.confirmed = count;
    this.#confirmations++;
    this.#confirmedAt = performance.now();
  }

  /**
   * Puts a message into the backlog. It waits for no peer.
   *
   * @returns What to await, now and then: a turn of the event loop.
   * @throws {Deno.errors.Busy} Too much waits already.
   */
  enqueue(data: Uint8Array): Promise<void> | undefined {
    return quickTurnIsDue()
      ? turned().then(() => this.#enqueue(data))
      : this.#enqueue(data);
  }

  #enqueue(data: Uint8Array): Promise<void> | undefined {
    this.#backlog.push(encodeMessage(data));
    this.sent++;
    // A peer that reads has taken a part of it after a turn.
    return this.#backlog.isBehind ? round() : undefined;
  }

  /** Sends a message, and waits until the system has taken it. */
  async write(data: Uint8Array): Promise<void> {
    if (quickTurnIsDue()) await turned();
    this.#backlog.push(encodeMessage(data));
    await this.#backlog.flushed();
    this.sent++;
  }

  /** Resolves when all messages are written. */
  flushed(): Promise<void> {
    return this.#backlog.flushed();
  }

  /** Drops what waits; pending calls of `write` reject with the error. */
  end(error: Error): void {
    this.#backlog.end(error);
  }

  async #write(bytes: Uint8Array): Promise<number> {
    this.#stream ??= this.#conn.createUnidirectionalStream({
      waitUntilAvailable: true,
    }).then((stream) => stream.getWriter());
    const stream = await this.#stream;
    await stream.write(bytes);
    return bytes.length;
  }
}

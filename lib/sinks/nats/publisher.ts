import {
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
} from "@nats-io/jetstream";
import {
  errors,
  headers,
  type MsgHdrs,
  type NatsConnection,
} from "@nats-io/transport-node";
import { formatAddress } from "../../address/address.ts";
import { escapeControls } from "../../escape.ts";
import type { Message } from "../../sink.ts";
import type { Unacknowledged } from "./doubt.ts";
import type { Waiting } from "./waiting.ts";
import type { Wake } from "../wake.ts";

const BATCH = 500;
const MAX_IN_FLIGHT = 512;
const MAX_BYTES_IN_FLIGHT = 4 * 1024 * 1024;
// How long the broker may acknowledge none of the messages in flight. A single
// message has no limit of its own: a slow broker is not a hung one.
const QUIET_MS = 10_000;
const NEVER_MS = 2 ** 31 - 1;
// How often to read the log for messages that it does not have yet.
const POLL_MS = { first: 10, most: 250 };
// JSStreamMessageExceedsMaximumErr: longer than the stream's max_msg_size.
const TOO_LONG_FOR_STREAM = 10_054;

/** The outcome of a message. */
export type Outcome = "published" | "duplicate" | "refused";

/** A message with its outcome. A publisher reports them in order. */
export interface Settled {
  readonly outcome: Outcome;
  /** The broker's error, if it was refused. */
  readonly reason?: unknown;
  /** How many messages right before it were deleted from the log. */
  readonly missing: number;
}

interface Flight {
  readonly message: Message;
  readonly sentAt: number;
  outcome?: Outcome;
  reason?: unknown;
}

/** Publishes waiting messages on one connection, in order, until one fails. */
export class Publisher {
  readonly #client: JetStreamClient;
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #waiting: Waiting;
  readonly #wake: Wake;
  readonly #onSettled: (settled: Settled) => void;
  readonly #onForeign: (id: number) => void;
  readonly #flights: Flight[] = [];
  #ready: readonly Message[] = [];
  #nextReady = 0;
  // The number of the last message that was published.
  #cursor: number;
  #inFlight = 0;
  #bytesInFlight = 0;
  #lastAnswerAt = 0;
  // The first message goes alone: an error of the subject or the stream shows on
  // it, and no later message overtakes it.
  #maxInFlight = 1;
  #pollMs = POLL_MS.first;
  #failure: unknown;

  constructor(
    connection: NatsConnection,
    subject: string,
    waiting: Waiting,
    wake: Wake,
    onSettled: (settled: Settled) => void,
    onForeign: (id: number) => void,
  ) {
    this.#client = jetstream(connection);
    this.#connection = connection;
    this.#subject = subject;
    this.#waiting = waiting;
    this.#wake = wake;
    this.#onSettled = onSettled;
    this.#onForeign = onForeign;
    this.#cursor = waiting.settledId;
  }

  /**
   * Publishes until the signal aborts.
   *
   * @throws The first error, once nothing is in flight any more or the broker has
   * stopped answering. The next publisher then begins with the first message that
   * was not acknowledged.
   */
  async run(stop: AbortSignal): Promise<void> {
    this.#connection.closed().then((error) =>
      this.#fail(error ?? new Error("connection closed"))
    );
    while (!stop.aborted) {
      if (this.#failure === undefined) this.#fill();
      else if (this.#inFlight === 0) throw this.#failure;
      await this.#wake.wait(this.#waitMs());
      if (this.#inFlight > 0 && this.#quietMs() >= QUIET_MS) {
        throw this.#failure ?? new Error("no answer");
      }
    }
  }

  /** What was sent, and has no outcome so far. */
  get unacknowledged(): Unacknowledged | undefined {
    const [first] = this.#flights;
    return first && { lastId: this.#cursor, since: first.sentAt };
  }

  #quietMs(): number {
    return performance.now() - this.#lastAnswerAt;
  }

  #waitMs(): number {
    const forAnswer = this.#inFlight > 0
      ? QUIET_MS - this.#quietMs()
      : Infinity;
    const isBehind = this.#cursor < this.#waiting.lastId &&
      this.#failure === undefined && this.#hasRoom();
    if (!isBehind) return Math.max(0, forAnswer);
    // A message was written, but the log does not have it yet.
    const pollMs = this.#pollMs;
    this.#pollMs = Math.min(pollMs * 2, POLL_MS.most);
    return Math.max(0, Math.min(pollMs, forAnswer));
  }

  #hasRoom(): boolean {
    return this.#inFlight < this.#maxInFlight &&
      this.#flights.length < MAX_IN_FLIGHT &&
      this.#bytesInFlight < MAX_BYTES_IN_FLIGHT;
  }

  #fill(): void {
    while (this.#hasRoom()) {
      const message = this.#next();
      if (message === undefined) return;
      this.#publish(message);
    }
  }

  #next(): Message | undefined {
    if (this.#nextReady === this.#ready.length) {
      if (this.#cursor >= this.#waiting.lastId) return undefined;
      this.#ready = this.#waiting.after(this.#cursor, BATCH);
      this.#nextReady = 0;
    }
    const message = this.#ready[this.#nextReady];
    if (message === undefined) return undefined;
    this.#nextReady++;
    this.#cursor = message.id;
    this.#pollMs = POLL_MS.first;
    return message;
  }

  #publish(message: Message): void {
    const { data } = message.datagram;
    const flight: Flight = { message, sentAt: performance.now() };
    this.#flights.push(flight);
    if (this.#inFlight++ === 0) this.#lastAnswerAt = flight.sentAt;
    this.#bytesInFlight += data.length;
    this.#outcomeOf(message).then((outcome) => {
      this.#maxInFlight = MAX_IN_FLIGHT;
      flight.outcome = outcome;
    }, (error) => {
      if (!concernsThisOnly(error)) return this.#fail(error);
      flight.outcome = "refused";
      flight.reason = error;
    }).finally(() => {
      this.#inFlight--;
      this.#bytesInFlight -= data.length;
      this.#lastAnswerAt = performance.now();
      this.#settle();
      this.#wake.wake();
    });
  }

  async #outcomeOf(message: Message): Promise<Outcome> {
    const { id, datagram: { data } } = message;
    for (;;) {
      const epoch = this.#waiting.epochOf(id);
      const isNew = this.#waiting.send(id);
      const { duplicate } = await this.#client.publish(this.#subject, data, {
        msgID: `${epoch}-${id}`,
        headers: headersOf(message),
        timeout: NEVER_MS,
      });
      if (!duplicate) return "published";
      if (!isNew) return "duplicate";
      // What the stream has is another message. One before may have found that.
      if (epoch !== this.#waiting.epochOf(id)) continue;
      this.#onForeign(id);
      await this.#waiting.beginEpoch(id);
    }
  }

  #settle(): void {
    for (;;) {
      const [flight] = this.#flights;
      if (flight?.outcome === undefined) return;
      this.#flights.shift();
      const { id } = flight.message;
      const missing = id - this.#waiting.settledId - 1;
      this.#waiting.settle(id);
      const { outcome, reason } = flight;
      this.#onSettled({ outcome, reason, missing });
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake.wake();
  }
}

function headersOf({ time, datagram }: Message): MsgHdrs {
  const fields = headers();
  fields.set("Pli-From", escapeControls(formatAddress(datagram.from)));
  fields.set("Pli-Time", time.toISOString());
  fields.set("Pli-Size", `${datagram.data.length}`);
  if (datagram.truncated) fields.set("Pli-Truncated", "true");
  return fields;
}

/** Whether the broker rejects this message, and would accept others. */
function concernsThisOnly(error: unknown): boolean {
  return error instanceof errors.InvalidArgumentError ||
    error instanceof JetStreamApiError && error.code === TOO_LONG_FOR_STREAM;
}

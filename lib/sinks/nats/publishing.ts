import type { NatsConnection } from "@nats-io/transport-node";
import { systemClock } from "../../clock.ts";
import { count } from "../../count.ts";
import type { Message } from "../../sink.ts";
import { beforeAbort } from "../../promises.ts";
import { Doubt } from "./doubt.ts";
import { type Broker, openLink } from "./link.ts";
import type { NatsSink, NatsStats } from "./sink.ts";
import { Publisher, type Settled } from "./publisher.ts";
import { ensureStream, isUnanswered } from "./stream.ts";
import { settles } from "../../socket/peer_lines.ts";
import type { Waiting } from "./waiting.ts";
import { reasonOf, type Warnings } from "../../warnings.ts";
import { Wake } from "../wake.ts";

// How long it may take to disconnect when there is no time left.
const GRACE_MS = 100;
const RETRY_MS = { first: 100, most: 2000 };

/** A NATS sink: counts messages, and connects again when a connection ends. */
export class Publishing implements NatsSink {
  readonly name = "nats";
  readonly #target: Broker;
  readonly #broker: string;
  readonly #waiting: Waiting;
  readonly #warnings: Warnings;
  readonly #flushTimeoutMs: number;
  readonly #wake = new Wake();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #counts = { published: 0, duplicates: 0, refused: 0, lost: 0 };
  readonly #doubt = new Doubt();
  #windowMs = 0;
  #sentAgain = 0;
  #overflow = 0;
  #retryMs = RETRY_MS.first;
  #closing: Promise<void> | undefined;

  constructor(
    target: Broker,
    waiting: Waiting,
    warnings: Warnings,
    flushTimeoutMs: number,
  ) {
    this.#target = target;
    this.#broker = `NATS at ${new URL(target.destination).host}`;
    this.#waiting = waiting;
    this.#warnings = warnings;
    this.#flushTimeoutMs = flushTimeoutMs;
    this.#ended = this.#run();
  }

  get stats(): NatsStats {
    const waiting = this.#waiting.lastId - this.#waiting.settledId;
    return {
      ...this.#counts,
      waiting,
      overflow: this.#overflow,
      ...(this.#sentAgain > 0 && { sentAgain: this.#sentAgain }),
    };
  }

  write(messages: readonly Message[]): void {
    const rejected = this.#waiting.add(messages);
    this.#wake.wake();
    if (rejected === 0) return;
    if (this.#stop.signal.aborted) {
      this.#counts.lost += rejected;
      return;
    }
    this.#overflow += rejected;
    this.#warnings.once(
      "overflow",
      `${this.#broker} is too slow: no more messages can wait, they are dropped`,
    );
  }

  async flush(): Promise<void> {
    const { lastId } = this.#waiting;
    const deadline = performance.now() + this.#flushTimeoutMs;
    while (this.#waiting.settledId < lastId && !this.#stop.signal.aborted) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#wake.wait(left);
    }
  }

  close(limit?: AbortSignal): Promise<void> {
    return this.#closing ??= this.#close(limit);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(limit?: AbortSignal): Promise<void> {
    // A collector has flushed it, and leaves time for the other sinks.
    if (limit === undefined) await this.flush();
    this.#stop.abort();
    this.#wake.wake();
    if (limit === undefined) await this.#ended;
    else {
      await beforeAbort(this.#ended, limit);
      // A connection that is being opened cannot be given up.
      await settles(this.#ended, GRACE_MS, systemClock);
    }
    const lost = this.#waiting.close();
    this.#counts.lost += lost;
    if (lost === 0) return;
    this.#warnings.note(
      `${this.#broker} did not acknowledge ${count(lost, "message")}: lost`,
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#connectAndPublish(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#warnings.once(
          "away",
          `${this.#broker}: ${this.#reasonOf(error)}; messages wait`,
        );
        await pause(this.#retryMs, signal);
        this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
      }
    }
  }

  /** The client of the broker takes a missing stream for missing JetStream. */
  #reasonOf(error: unknown): string {
    if (!isUnanswered(error)) return reasonOf(error);
    return `no stream takes ${this.#target.subject}: was it deleted?` +
      " It is created again if this user may";
  }

  async #connectAndPublish(signal: AbortSignal): Promise<void> {
    const connection = await openLink(this.#target, signal);
    // Ends everything that waits for an answer.
    const close = () => void connection.close();
    signal.addEventListener("abort", close);
    try {
      signal.throwIfAborted();
      const { subject } = this.#target;
      const { created, windowMs } = await ensureStream(connection, subject);
      this.#windowMs = windowMs;
      if (created !== undefined) {
        this.#warnings.note(
          `${this.#broker}: created the stream ${created} for ${subject}`,
        );
      }
      // If messages wait, the first acknowledgement shows that it is back.
      if (this.#isIdle) this.#onAnswer();
      await this.#publish(connection, signal);
    } finally {
      signal.removeEventListener("abort", close);
      await connection.close();
    }
  }

  async #publish(
    connection: NatsConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const publisher = new Publisher(
      connection,
      this.#target.subject,
      this.#waiting,
      this.#wake,
      (settled) => this.#onSettled(settled),
      (id) => this.#onForeign(id),
    );
    try {
      await publisher.run(signal);
    } finally {
      this.#warnings.over("again");
      const { unacknowledged } = publisher;
      if (unacknowledged !== undefined) {
        this.#doubt.add(unacknowledged, this.#waiting.settledId);
      }
    }
  }

  #onForeign(id: number): void {
    this.#warnings.note(
      `${this.#broker} has another message under the ID of message ${id}: ` +
        "is a copy of this server running? It is published again under a new one",
    );
  }

  #onSettled({ outcome, reason, missing }: Settled): void {
    if (missing > 0) {
      this.#counts.lost += missing;
      this.#warnings.note(
        `${this.#broker} will not get ${count(missing, "message")}: ` +
          "they are no longer in the store",
      );
    }
    if (outcome === "refused") {
      this.#counts.refused++;
      this.#warnings.once(
        "refused",
        `${this.#broker} rejected a message (further ones are only counted): ` +
          reasonOf(reason),
      );
      return;
    }
    if (outcome === "duplicate") this.#counts.duplicates++;
    else this.#onPublished();
    if (this.#isIdle) this.#warnings.over("overflow");
    this.#onAnswer();
  }

  #onPublished(): void {
    this.#counts.published++;
    const { settledId } = this.#waiting;
    const now = performance.now();
    if (!this.#doubt.mayBeTwice(settledId, now, this.#windowMs)) return;
    this.#sentAgain++;
    this.#warnings.once(
      "again",
      `${this.#broker}: messages are sent again after the stream's duplicate ` +
        `window of ${this.#windowMs / 1000} s; it may have some of them twice`,
    );
  }

  get #isIdle(): boolean {
    return this.#waiting.settledId === this.#waiting.lastId;
  }

  #onAnswer(): void {
    this.#retryMs = RETRY_MS.first;
    if (this.#warnings.over("away")) {
      this.#warnings.note(`${this.#broker} is back`);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal.addEventListener("abort", stop);
  await promise;
  signal.removeEventListener("abort", stop);
  clearTimeout(timer);
}

import { schemeOf } from "../../addr.ts";
import type { Clock } from "../../clock.ts";
import { count } from "../../count.ts";
import { MessageTooLargeError } from "../../errors.ts";
import { beforeAbort } from "../../promises.ts";
import type { Message } from "../../sink.ts";
import { settles } from "../../socket/peer_lines.ts";
import { dueTurn } from "../../turns.ts";
import { reasonOf } from "../../warnings.ts";
import { Wake } from "../wake.ts";
import { Backoff } from "./backoff.ts";
import { type Destination, isUdp } from "./destination.ts";
import { Intake } from "./intake.ts";
import { openOutlet, type Outlet } from "./outlet.ts";
import type { Queue, Waiting } from "./queue.ts";
import type { Settings } from "./settings.ts";
import type { ForwardSink, ForwardStats } from "./sink.ts";
import { Troubles } from "./troubles.ts";

// A connection that breaks sooner was no success, and one that has carried
// nothing for so long is idle.
const STEADY_MS = 5000;
// How long `close` flushes when no collector gives it a limit.
const FLUSH_MS = 5000;
// How long a connection may take to end when there is no time left.
const GRACE_MS = 100;

/** Forwards messages to one destination, and connects again when that is away. */
export class Forwarding implements ForwardSink {
  readonly name: string;
  readonly gauges = ["replies", "unconfirmed"] as const;
  readonly #destination: Destination;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #intake: Intake;
  readonly #queue: Queue;
  readonly #troubles: Troubles;
  readonly #backoff: Backoff;
  readonly #wake = new Wake();
  readonly #stop = new AbortController();
  readonly #counts = {
    forwarded: 0,
    refused: 0,
    lost: 0,
    replies: 0,
    unconfirmed: 0,
  };
  readonly #ended: Promise<void>;
  #outlet: Outlet | undefined;
  #openedAt = 0;
  #sentAt = 0;
  // How often opening has failed.
  #failures = 0;
  // How many messages were dropped when one was forwarded last.
  #droppedBefore = 0;
  #closing: Promise<void> | undefined;

  constructor(destination: Destination, settings: Settings) {
    const { socket, onTrouble } = settings;
    this.name = `forward:${destination.text}`;
    this.#destination = destination;
    this.#settings = settings;
    this.#clock = socket.clock;
    this.#troubles = new Troubles(destination.text, onTrouble);
    this.#intake = new Intake(destination, settings, this.#troubles);
    this.#queue = this.#intake.queue;
    this.#backoff = new Backoff(socket.clock);
    this.#ended = this.#run();
  }

  get stats(): ForwardStats {
    const { forwarded, refused, lost, replies, unconfirmed } = this.#counts;
    return {
      forwarded,
      waiting: this.#queue.length,
      refused,
      ...this.#intake.dropped,
      lost,
      ...(replies > 0 && { replies }),
      ...(unconfirmed > 0 && { unconfirmed }),
    };
  }

  write(messages: readonly Message[]): void {
    for (const message of messages) {
      try {
        if (this.#stop.signal.aborted) this.#counts.lost++;
        else this.#intake.add(message);
      } catch (error) {
        // Another sink may have changed it.
        this.#refuse(error);
      }
    }
    this.#wake.wake();
  }

  async flush(): Promise<void> {
    const failures = this.#failures;
    this.#backoff.hurry();
    while (
      this.#queue.length > 0 && this.#failures === failures &&
      !this.#stop.signal.aborted
    ) await this.#wake.wait();
  }

  close(limit?: AbortSignal): Promise<void> {
    return this.#closing ??= this.#close(limit);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let outlet: Outlet | undefined;
      try {
        outlet = await this.#open(signal);
        await this.#pass(outlet, signal);
        if (!signal.aborted) await this.#leave(outlet);
      } catch (error) {
        if (signal.aborted) return;
        if (outlet === undefined) this.#failures++;
        else {
          if (this.#isSteady) this.#backoff.reset();
          await this.#leave(outlet);
        }
        this.#isAway(error, outlet !== undefined);
        this.#wake.wake();
        await this.#backoff.pause();
      }
    }
  }

  async #open(signal: AbortSignal): Promise<Outlet> {
    const { socket, carrier } = this.#settings;
    const outlet = await openOutlet({
      destination: this.#destination,
      socket,
      carrier,
      signal,
      onReply: () => void this.#counts.replies++,
      onFailure: () => this.#wake.wake(),
    });
    this.#outlet = outlet;
    this.#openedAt = this.#clock.now();
    // If messages wait, the first of them shows that it is back.
    if (this.#queue.length === 0) this.#isBack();
    return outlet;
  }

  /**
   * Sends what waits, until it is to stop or an idle connection that has ended is
   * needed again.
   *
   * @throws Why the outlet has failed.
   */
  async #pass(outlet: Outlet, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { failure } = outlet;
      if (failure !== undefined && !this.#isIdle) throw failure;
      const message = this.#queue.first;
      if (message === undefined) {
        await this.#wake.wait();
        continue;
      }
      if (failure !== undefined) return;
      await this.#send(outlet, message);
      const turn = dueTurn(this.#clock);
      if (turn !== undefined) await turn;
    }
  }

  get #isSteady(): boolean {
    return this.#clock.now() - this.#openedAt >= STEADY_MS;
  }

  get #isIdle(): boolean {
    return this.#isSteady && this.#clock.now() - this.#sentAt >= STEADY_MS;
  }

  async #send(outlet: Outlet, message: Waiting): Promise<void> {
    let parts: readonly Uint8Array[] = [];
    try {
      parts = this.#settings.encode(message);
    } catch (error) {
      this.#took(message);
      return this.#refuse(error);
    }
    for (const part of parts) {
      try {
        await outlet.send(part);
      } catch (error) {
        this.#failed(message, error);
        // What has no second part is no message.
        if (part === parts[0]) return;
        throw error;
      }
    }
    if (!this.#took(message)) return;
    this.#counts.forwarded++;
    this.#sentAt = this.#clock.now();
    this.#troubles.over("lost");
    this.#isBack();
  }

  /** @throws The error, if it is not the message's: it goes on waiting then. */
  #failed(message: Waiting, error: unknown): void {
    if (this.#stop.signal.aborted) throw error;
    const isRefused = error instanceof MessageTooLargeError ||
      error instanceof TypeError;
    if (!isRefused && !isUdp(this.#destination.address)) throw error;
    if (!this.#took(message)) return;
    if (isRefused) return this.#refuse(error);
    this.#counts.lost++;
    this.#troubles.begin("lost", `${reasonOf(error)}; messages are lost`);
  }

  #refuse(error: unknown): void {
    this.#counts.refused++;
    const what = "a message cannot be forwarded (others are only counted)";
    this.#troubles.begin("refused", `${what}: ${reasonOf(error)}`);
  }

  /** Takes the first message. @returns Whether it still waited. */
  #took(message: Waiting): boolean {
    if (this.#queue.first !== message) return false;
    this.#queue.shift();
    if (this.#queue.length > 0) return true;
    this.#wake.wake();
    if (this.#troubles.over("queue")) {
      this.#troubles.note("has taken all that waited");
    }
    return true;
  }

  #isAway(error: unknown, wasOpen: boolean): void {
    const scheme = schemeOf(this.#destination.address);
    const isUnknown = wasOpen && (scheme === "tcp" || scheme === "tls");
    const lost = isUnknown ? "what it had not read may be lost; " : "";
    this.#troubles.begin("away", `${reasonOf(error)}; ${lost}messages wait`);
  }

  #isBack(): void {
    const { "dropped.queue": all } = this.#intake.dropped;
    const dropped = all - this.#droppedBefore;
    this.#droppedBefore = all;
    if (!this.#troubles.over("away")) return;
    this.#troubles.note(`is back; ${count(dropped, "message")} lost meanwhile`);
  }

  async #close(limit?: AbortSignal): Promise<void> {
    // A collector has flushed it, and leaves time for the other sinks.
    if (limit === undefined) await settles(this.flush(), FLUSH_MS, this.#clock);
    const outlet = this.#outlet;
    // What is being sent may still leave; nothing else begins.
    this.#stop.abort();
    this.#wake.wake();
    this.#backoff.hurry();
    if (this.#queue.length > 0) outlet?.close();
    else if (outlet !== undefined) await this.#leave(outlet, limit);
    await settles(this.#ended, GRACE_MS, this.#clock);
    const lost = this.#intake.close();
    this.#counts.lost += lost;
    if (lost > 0) {
      this.#troubles.note(`did not get ${count(lost, "message")}: lost`);
    }
  }

  /** Ends an outlet; what was sent on a connection has until the limit to leave. */
  async #leave(outlet: Outlet, limit?: AbortSignal): Promise<void> {
    this.#outlet = undefined;
    const ending = outlet.end().then((unconfirmed) => {
      this.#counts.unconfirmed += unconfirmed;
    }, () => {});
    await (limit === undefined
      ? settles(ending, FLUSH_MS, this.#clock)
      : beforeAbort(ending, limit));
    outlet.close();
    await settles(ending, GRACE_MS, this.#clock);
  }
}

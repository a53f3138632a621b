import type { NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { Networks } from "../address/networks.ts";
import type { Clock } from "../clock.ts";
import { type Pace, Schedule } from "./schedule.ts";
import { untilAbort } from "./until_abort.ts";

/** The most sockets that are open at a time. */
export const MAX_SENDERS = 256;

/** A datagram to replay. */
export interface Replayable {
  /** Nanoseconds since 1970; without it, it follows the one before at once. */
  readonly time: bigint | undefined;
  /** Who sent it. */
  readonly from: NetAddr;
  /** Who received it. */
  readonly to: NetAddr;
  /** Its bytes. */
  readonly data: Uint8Array;
}

/** Datagrams by what a replay did with them, and how it went. */
export interface ReplayStats {
  /** Datagrams that were sent. */
  sent: number;
  /** Datagrams that could not be sent. */
  failed: number;
  /** Datagrams that were not selected by `port` or `from`. */
  filtered: number;
  /** Senders for which the socket of the oldest one was given up. */
  reused: number;
  /** How late the latest datagram was sent, in milliseconds. */
  latestMs: number;
}

/** Sends the datagrams of one sender. */
export interface Sender {
  send(datagram: Replayable): Promise<unknown>;
  close(): Promise<unknown> | void;
}

/** How a {@linkcode Player} plays. */
export interface PlayerOptions {
  readonly clock: Clock;
  readonly pace: Pace;
  /** Only datagrams to this port. */
  readonly port: number | undefined;
  /** Only datagrams from these networks. */
  readonly from: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /**
   * Opens the socket of a sender.
   *
   * @param oldest One that is not used any more, to reuse or to close.
   */
  readonly open: (from: NetAddr, oldest?: Sender) => Promise<Sender>;
  /** Called with the error of a datagram that could not be sent. */
  readonly report: (error: unknown) => void;
}

/** Sends datagrams again, each sender's from a socket of its own. */
export class Player {
  readonly #options: PlayerOptions;
  readonly #schedule: Schedule;
  readonly #networks: Networks | undefined;
  readonly #senders = new Map<string, Sender>();
  readonly #stats = { sent: 0, failed: 0, filtered: 0, reused: 0 };

  constructor(options: PlayerOptions) {
    this.#options = options;
    const { from, clock, pace } = options;
    this.#networks = from && new Networks(from);
    this.#schedule = new Schedule(clock, pace);
  }

  /** What it has done so far: a copy. */
  get stats(): ReplayStats {
    return { ...this.#stats, latestMs: this.#schedule.latestMs };
  }

  /**
   * Plays a capture after those before, until the signal aborts. Then the packet
   * for which it waits is given up.
   *
   * @throws What the capture throws. What it had before that was sent.
   */
  async play(
    capture: Iterable<Replayable> | AsyncIterable<Replayable>,
  ): Promise<void> {
    const { signal, report } = this.#options;
    this.#schedule.restart();
    for await (const datagram of untilAbort(capture, signal)) {
      if (!this.#isSelected(datagram)) {
        this.#stats.filtered++;
        continue;
      }
      await this.#schedule.wait(datagram.time, signal);
      if (signal.aborted) return;
      try {
        const sender = await this.#senderOf(datagram.from);
        await sender.send(datagram);
        this.#stats.sent++;
      } catch (error) {
        this.#stats.failed++;
        report(error);
      }
    }
  }

  /** Closes all sockets. */
  async close(): Promise<void> {
    const senders = [...this.#senders.values()];
    this.#senders.clear();
    await Promise.all(senders.map((sender) => sender.close()));
  }

  #isSelected({ from, to }: Replayable): boolean {
    const { port = to.port } = this.#options;
    return port === to.port && (this.#networks?.has(from.hostname) ?? true);
  }

  /** The socket of a sender. In the map, those that were used last come last. */
  async #senderOf(from: NetAddr): Promise<Sender> {
    const key = formatAddress(from);
    const known = this.#senders.get(key);
    this.#senders.delete(key);
    const sender = known ?? await this.#open(from);
    this.#senders.set(key, sender);
    return sender;
  }

  async #open(from: NetAddr): Promise<Sender> {
    const [first] = this.#senders;
    if (first === undefined || this.#senders.size < MAX_SENDERS) {
      return await this.#options.open(from);
    }
    const [key, oldest] = first;
    this.#senders.delete(key);
    this.#stats.reused++;
    return await this.#options.open(from, oldest);
  }
}

import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier, SentBatch } from "../carrier.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Attempt } from "../errors.ts";
import { isThenable } from "../promises.ts";
import { dueTurn } from "../turns.ts";
import { type Part, partOf } from "./batch_parts.ts";
import { Lanes, type Load } from "./lanes.ts";
import {
  closed,
  type Data,
  gone,
  hasBytes,
  Messages,
  type Prepared,
  type PreparedRun,
} from "./messages.ts";
import { sendLimits } from "./send_limits.ts";
import { Sent } from "./stats.ts";
import type { SendOptions } from "./send_limits.ts";
import { type Limits, within } from "./waits.ts";

// How long `end` waits for messages that wait to be sent.
const END_MS = 5000;

/**
 * The sending half of a socket: checks, sends, and counts each message once. It
 * is in `sending` until it is sent or has failed.
 */
export class Outbox {
  readonly counts: Sent = new Sent();
  /** For the messages of errors: to send from this socket. */
  readonly attempt: Attempt;
  /** Checks the messages that it sends. */
  readonly messages: Messages;
  /** Where the chance of waits comes from: the carrier, or the system. */
  readonly random = (): number => this.#carrier.random?.() ?? Math.random();
  readonly #carrier: Carrier;
  readonly #clock: Clock;
  readonly #lanes = new Lanes();
  readonly #onClose = new Set<() => void>();
  #isEnding = false;
  #isClosed = false;
  #onSettled: (() => void) | undefined;

  /** @param local The local address, which the program cannot change. */
  constructor(carrier: Carrier, local: Addr) {
    this.attempt = { action: `send from ${formatAddress(local)}`, local };
    this.#carrier = carrier;
    this.#clock = carrier.clock ?? systemClock;
    this.messages = new Messages(carrier, local);
  }

  /** Whether the carrier sends in batches. */
  get sendsBatches(): boolean {
    return this.#carrier.sendBatch !== undefined;
  }

  /** Whether the carrier sends runs. */
  get sendsRuns(): boolean {
    return this.#carrier.sendRun !== undefined;
  }

  async send(
    data: Data,
    to: string | Addr,
    options?: SendOptions,
  ): Promise<void> {
    // Set while it is carried at once, as nearly every message is: not by a
    // function of its own, whose `await` would cost a send a third more.
    let carried: Prepared | undefined;
    let failed: { readonly error: unknown } | undefined;
    this.counts.sending++;
    try {
      const from = options?.from;
      const message = from === undefined
        ? this.messages.prepare(data, to)
        : this.messages.prepareFrom(data, to, from);
      const limits = sendLimits(this.messages, message, options);
      if (limits === undefined && this.#lanes.tryEnter(message)) {
        carried = message;
        await this.#give(message);
      } else await this.#inTurn(message, limits);
      this.counts.sent++;
      this.counts.sentBytes += message.size;
    } catch (error) {
      this.counts.sendFailed++;
      failed = {
        error: carried === undefined
          ? error
          : this.messages.failure(carried, error),
      };
    } finally {
      if (carried !== undefined) this.#lanes.leave(carried);
      this.#settled(1);
    }
    if (failed === undefined) return;
    const turn = dueTurn(this.#clock);
    if (turn !== undefined) await turn;
    throw failed.error;
  }

  /**
   * Sends as many messages of a batch as the carrier takes at once, when it is
   * the batch's turn. The messages are in `sending` already.
   */
  async sendBatch(batch: readonly Prepared[]): Promise<Part> {
    let part: Part = { sent: 0, settled: 0 };
    const entered = this.#lanes.tryEnter(batch) ||
      await this.#lanes.enter(batch);
    if (!entered) return part;
    try {
      this.#requireOpen();
      const whole = this.#whole(batch);
      const result = await this.#carrier.sendBatch!(whole);
      part = partOf(
        whole.length,
        result,
        (index, cause) => this.messages.failure(whole[index]!, cause),
      );
    } catch (cause) {
      const error = this.messages.failure(batch[0]!, cause);
      part = { sent: 0, settled: 1, error };
    } finally {
      this.#lanes.leave(batch);
    }
    const { sent, settled } = part;
    this.counts.sent += sent;
    for (let i = 0; i < sent; i++) this.counts.sentBytes += batch[i]!.size;
    this.counts.sendFailed += settled - sent;
    this.#settled(settled);
    return part;
  }

  /**
   * Sends as many datagrams of a run as the carrier takes at once, from that one
   * on. The run has its turn, and its datagrams are in `sending` already.
   *
   * @param named What the message of an error names. @default {the run}
   * @returns No promise if the carrier returned none: most runs are sent at once.
   */
  sendPart(
    run: PreparedRun,
    from: number,
    named: Prepared = run,
  ): Part | Promise<Part> {
    const failed = (_: number, cause: unknown) =>
      this.messages.failure(named, cause);
    const failure = (cause: unknown): Part => ({
      ...{ sent: 0, settled: 1 },
      error: failed(0, cause),
    });
    try {
      this.#requireOpen();
      if (!hasBytes(run)) throw gone();
      const { segmentSize, to, count } = run;
      const start = from * segmentSize;
      const { sendRun } = this.#carrier;
      if (sendRun === undefined || count === 1) {
        const data = run.data.subarray(start, start + segmentSize);
        return Promise.resolve(this.#carrier.send(data, to))
          .then(() => ({ sent: 1, settled: 1 }), failure);
      }
      const data = start === 0 ? run.data : run.data.subarray(start);
      const result = sendRun.call(this.#carrier, data, segmentSize, to);
      const part = (result: SentBatch) => partOf(count - from, result, failed);
      return isThenable(result)
        ? Promise.resolve(result).then(part).catch(failure)
        : part(result);
    } catch (cause) {
      return failure(cause);
    }
  }

  /** Enters the turn of a run. @returns Whether it has it: not if withdrawn. */
  enter(run: PreparedRun): true | Promise<boolean> {
    return this.#lanes.tryEnter(run) || this.#lanes.enter(run);
  }

  /** Ends the turn of a run. */
  leave(run: PreparedRun): void {
    this.#lanes.leave(run);
  }

  /** Withdraws what waits for its turn. */
  withdraw(load: Load): void {
    this.#lanes.withdraw(load);
  }

  /** Counts that many messages of `sending`, and their bytes, as sent. */
  note(count: number, bytes: number): void {
    this.counts.sent += count;
    this.counts.sentBytes += bytes;
    this.#settled(count);
  }

  /** Counts that many messages of `sending` as failed. */
  giveUp(count: number): void {
    this.counts.sendFailed += count;
    this.#settled(count);
  }

  /** Calls back when the socket is closed. Returns a function that ends that. */
  onClose(callback: () => void): () => void {
    if (this.#isEnding) callback();
    else this.#onClose.add(callback);
    return () => void this.#onClose.delete(callback);
  }

  /** Takes no more messages, sends those that wait, for 5 s at most, and closes. */
  async end(): Promise<void> {
    this.#refuse();
    if (this.counts.sending > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(END_MS, resolve);
        this.#onSettled = () => {
          cancel();
          resolve();
        };
      });
    }
    this.close();
  }

  close(): void {
    this.#refuse();
    this.#isClosed = true;
    this.#lanes.close();
    this.#onSettled?.();
  }

  #refuse(): void {
    this.#isEnding = true;
    this.messages.refuse();
    for (const callback of this.#onClose) callback();
    this.#onClose.clear();
  }

  #settled(count: number): void {
    this.counts.sending -= count;
    if (this.counts.sending === 0) this.#onSettled?.();
  }

  #give(message: Prepared): Promise<number> {
    this.#requireOpen();
    if (!hasBytes(message)) throw gone();
    return message.from === undefined
      ? this.#carrier.send(message.data, message.to)
      : this.#carrier.sendFrom!(message.data, message.to, message.from);
  }

  /** Returns the batch as far as the first message whose bytes are gone. */
  #whole(batch: readonly Prepared[]): readonly Prepared[] {
    const first = batch.findIndex((message) => !hasBytes(message));
    if (first === 0) throw gone();
    return first < 0 ? batch : batch.slice(0, first);
  }

  /**
   * Sends a message when it is its turn. A carrier's `send` cannot be canceled:
   * a message that is given up on may still arrive, but not if it was still
   * waiting for its turn.
   */
  async #inTurn(
    message: Prepared,
    limits: Limits | undefined,
  ): Promise<void> {
    limits?.signal?.throwIfAborted();
    const send = async () => {
      if (!await this.#lanes.enter(message)) return;
      try {
        await this.#give(message);
      } catch (cause) {
        throw this.messages.failure(message, cause);
      } finally {
        this.#lanes.leave(message);
      }
    };
    try {
      await within(
        send(),
        this.#clock,
        limits,
        this.messages.attemptOf(message),
      );
    } catch (error) {
      this.#lanes.withdraw(message);
      throw error;
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }
}

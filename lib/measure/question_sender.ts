import type { Addr } from "../addr.ts";
import { MessageTooLargeError, type OperationFields } from "../errors.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { ignoreRejection } from "../promises.ts";
import { turned, turnIsDue } from "../turns.ts";
import { until } from "../until.ts";
import type { MeasureSettings } from "./options.ts";
import { encodeQuestion } from "./stamp.ts";
import type { Tally } from "./tally.ts";

// A timer that is set for longer ends at once.
const LONGEST_MS = 2 ** 31 - 1;
// How many that are due leave in one piece. Their times are from before it.
const MAX_RUN = 16;

/** The identifiers of the sessions of one measurement. */
export interface Ssids {
  readonly omitted: number;
  readonly counted: number;
}

/** Sends questions at their planned times, whatever comes back. */
export class QuestionSender {
  readonly #socket: ConnectedSocket<Addr>;
  readonly #tally: Tally;
  readonly #settings: MeasureSettings;
  readonly #ssids: Ssids;
  readonly #packets = new Map<number, Uint8Array<ArrayBuffer>>();

  constructor(
    socket: ConnectedSocket<Addr>,
    tally: Tally,
    settings: MeasureSettings,
    ssids: Ssids,
  ) {
    this.#socket = socket;
    this.#tally = tally;
    this.#settings = settings;
    this.#ssids = ssids;
  }

  /**
   * Sends all questions, or until the signal aborts. What could not leave until
   * `waitMs` after the end is counted as not sent, also if the carrier takes a
   * datagram and never comes back.
   *
   * @throws {MessageTooLargeError} The carrier cannot send such a size.
   */
  async send(signal: AbortSignal): Promise<void> {
    const { count, omitted, waitMs } = this.#settings;
    const { window, plan, start } = this.#tally;
    const { clock } = this.#socket;
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const sending = this.#sendAll(ended);
    const lastMs = start + plan.at(count) + waitMs - clock.now();
    const cancel = lastMs < LONGEST_MS
      ? clock.after(Math.max(0, lastMs), () => over.abort())
      : () => {};
    try {
      await Promise.race([sending, aborted(ended)]);
    } finally {
      cancel();
      over.abort();
      ignoreRejection(sending);
    }
    if (signal.aborted || window.next >= count) return;
    this.#tally.skip(count - Math.max(window.next, omitted));
  }

  async #sendAll(ended: AbortSignal): Promise<void> {
    const { count } = this.#settings;
    const { window, plan, start } = this.#tally;
    const { clock } = this.#socket;
    while (window.next < count) {
      await until(clock, start + plan.at(window.next), ended);
      if (ended.aborted) return;
      await this.#sendDue(clock.now() - start);
      if (ended.aborted) return;
      this.#tally.sweep(clock.now());
      if (!clock.isVirtual && turnIsDue()) await turned();
    }
  }

  /** Sends the next questions, of one size and one session, that are due. */
  async #sendDue(elapsed: number): Promise<void> {
    const { count, omitted, sizes } = this.#settings;
    const { window, plan } = this.#tally;
    const first = window.next;
    const isOmitted = first < omitted;
    const last = Math.min(first + MAX_RUN, isOmitted ? omitted : count);
    const size = sizes[first % sizes.length]!;
    const run = this.#memory(size);
    let length = 0;
    for (let number = first; number < last; number++) {
      const isNext = number === first || plan.at(number) <= elapsed &&
          sizes[number % sizes.length] === size;
      if (!isNext) break;
      const { timeMs } = this.#tally.send();
      const ssid = isOmitted ? this.#ssids.omitted : this.#ssids.counted;
      const question = { number: number % 2 ** 32, timeMs, ssid, size };
      run.set(encodeQuestion(question), length++ * size);
    }
    await this.#give(run.subarray(0, length * size), size, first, length);
  }

  async #give(
    run: Uint8Array,
    size: number,
    first: number,
    count: number,
  ): Promise<void> {
    for (let settled = 0; settled < count;) {
      try {
        if (count === 1) await this.#socket.send(run);
        else await this.#socket.sendRun(run.subarray(settled * size), size);
        return;
      } catch (error) {
        if (error instanceof MessageTooLargeError) throw error;
        this.#settings.report(error);
        settled += (error as OperationFields | undefined)?.sent ?? 0;
        this.#tally.fail(first + settled++);
      }
    }
  }

  /** Returns memory for a run of that size, which is used again and again. */
  #memory(size: number): Uint8Array<ArrayBuffer> {
    let packet = this.#packets.get(size);
    if (packet === undefined) {
      packet = new Uint8Array(size * MAX_RUN);
      this.#packets.set(size, packet);
    }
    return packet;
  }
}

/** Resolves when a signal aborts. It is short-lived, so its listener may stay. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

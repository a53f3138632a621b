import type { Addr } from "../addr.ts";
import type { Clock } from "../clock.ts";
import { dueTurn } from "../turns.ts";
import {
  type Data,
  datagramsIn,
  encode,
  isBytes,
  lengthOf,
  type PreparedRun,
} from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { sendLimits } from "./send_limits.ts";
import { SendTurns } from "./send_turns.ts";
import { type Limits, type WaitOptions, within } from "./waits.ts";

/**
 * Sends the datagrams of a run in order, until one cannot be sent. Other sends to
 * the peer wait until it is over.
 *
 * @returns How many were sent: all.
 */
export async function sendRun(
  outbox: Outbox,
  clock: Clock,
  data: Data,
  segmentSize: number,
  to: string | Addr,
  options: WaitOptions | undefined,
): Promise<number> {
  const bytes = encode(data);
  const sending = new RunSending(outbox, clock, countOf(bytes, segmentSize));
  let limits: Limits | undefined;
  let failed: { readonly error: unknown } | undefined;
  try {
    const run = outbox.messages.prepareRun(bytes, segmentSize, to);
    limits = sendLimits(outbox.messages, run, options);
    limits?.signal?.throwIfAborted();
    await (limits === undefined ? sending.send(run) : within(
      sending.send(run),
      clock,
      limits,
      outbox.messages.attemptOf(run),
    ));
  } catch (error) {
    failed = { error };
  } finally {
    sending.end();
  }
  const turn = dueTurn(clock);
  if (turn !== undefined) await turn;
  if (failed === undefined) return sending.sent;
  const { error } = failed;
  // The reason of a signal is passed on as it is.
  if (error !== limits?.signal?.reason) addSent(error, sending.sent);
  throw error;
}

class RunSending {
  sent = 0;
  readonly #outbox: Outbox;
  readonly #turns: SendTurns;
  readonly #count: number;
  #run: PreparedRun | undefined;
  #isOver = false;

  constructor(outbox: Outbox, clock: Clock, count: number) {
    this.#outbox = outbox;
    this.#turns = new SendTurns(clock);
    this.#count = count;
    outbox.counts.sending += count;
  }

  async send(run: PreparedRun): Promise<void> {
    this.#run = run;
    const { count, segmentSize, size } = run;
    const entered = this.#outbox.enter(run);
    if (entered !== true && !await entered) return;
    try {
      for (;;) {
        const part = this.#outbox.sendPart(run, this.sent);
        const { sent, error } = part instanceof Promise ? await part : part;
        // If it was given up on, all that was not sent by then has failed.
        if (this.#isOver) return;
        const start = this.sent * segmentSize;
        this.sent += sent;
        const end = Math.min(this.sent * segmentSize, size);
        this.#outbox.note(sent, end - start);
        if (error !== undefined) throw error;
        if (this.sent === count) return;
        const turn = this.#turns.due();
        if (turn !== undefined) await turn;
        if (this.#isOver) return;
      }
    } finally {
      this.#outbox.leave(run);
    }
  }

  /** What was not sent has failed. */
  end(): void {
    this.#isOver = true;
    if (this.#run !== undefined) this.#outbox.withdraw(this.#run);
    this.#outbox.giveUp(this.#count - this.sent);
  }
}

/** How many datagrams a call is for. One that cannot be divided counts as one. */
function countOf(data: unknown, segmentSize: unknown): number {
  return isBytes(data) && Number.isInteger(segmentSize) &&
      segmentSize as number > 0
    ? datagramsIn(lengthOf(data), segmentSize as number)
    : 1;
}

/** Adds how many datagrams were sent to an error of this library. */
function addSent(error: unknown, sent: number): void {
  if (
    error instanceof Error && "operation" in error && Object.isExtensible(error)
  ) Object.assign(error, { sent });
}

import type { Addr } from "../addr.ts";
import { ignoreRejection } from "../promises.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { until } from "../until.ts";
import { encodeQuestion, type StampAnswer } from "./stamp.ts";

const TRIES = 6;
// To somebody who has answered nothing, who is likely not there.
const TRIES_UNANSWERED = 3;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 1600;

/** The answer to a question for the counts, and which try it answers, from 0. */
export interface ClosingAnswer {
  readonly answer: StampAnswer;
  readonly tries: number;
}

/**
 * Asks the reflector for its counts when the traffic has stopped, again and again
 * with growing pauses until it answers. Its numbers are beyond all others by one
 * more than they would have to be: a reflector that repeats them has none of its
 * own.
 */
export class ClosingQuestion {
  readonly #socket: ConnectedSocket<Addr>;
  readonly #ssid: number;
  #first = Infinity;
  #tries = 0;
  #answer: ClosingAnswer | undefined;
  readonly #answered = new AbortController();

  constructor(socket: ConnectedSocket<Addr>, ssid: number) {
    this.#socket = socket;
    this.#ssid = ssid;
  }

  /**
   * Asks.
   *
   * @param number The number that the next question would have.
   * @param isHeard Whether the reflector has answered anything so far.
   * @returns The answer, or `undefined` if none came within some seconds.
   */
  async ask(
    number: number,
    isHeard: boolean,
    timeMs: () => number,
    signal: AbortSignal,
  ): Promise<ClosingAnswer | undefined> {
    this.#first = number + 1;
    const { clock } = this.#socket;
    const over = AbortSignal.any([signal, this.#answered.signal]);
    const most = isHeard ? TRIES : TRIES_UNANSWERED;
    while (this.#tries < most && !over.aborted) {
      const pause = Math.min(FIRST_WAIT_MS * 2 ** this.#tries, LONGEST_WAIT_MS);
      const question = encodeQuestion({
        number: (this.#first + this.#tries++) % 2 ** 32,
        timeMs: timeMs(),
        ssid: this.#ssid,
        asksForCounts: true,
      });
      // One that cannot be sent is one that is lost.
      ignoreRejection(this.#socket.send(question));
      await until(clock, clock.now() + pause, over);
    }
    return this.#answer;
  }

  /** Takes an answer. @returns Whether it belongs to this question. */
  take(answer: StampAnswer): boolean {
    const tries = (answer.question.number - this.#first) % 2 ** 32;
    if (!(tries >= 0 && tries < this.#tries)) return false;
    this.#answer ??= { answer, tries };
    this.#answered.abort();
    return true;
  }
}

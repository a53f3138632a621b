import type { Clock } from "../clock.ts";
import { isThenable } from "../promises.ts";
import { AnswerOrder } from "./answer_order.ts";
import { ClockDifference } from "./clock_difference.ts";
import { Histogram } from "./histogram.ts";
import { IntervalTally } from "./interval_tally.ts";
import type { MeasureSettings } from "./options.ts";
import { Plan } from "./plan.ts";
import { type OldQuestion, QuestionWindow } from "./question_window.ts";
import type { MeasuredPacket } from "./result.ts";
import { Sequence } from "./sequence.ts";
import { Smoothed } from "./smoothed.ts";
import { Spread } from "./spread.ts";
import type { StampAnswer } from "./stamp.ts";
import { wallClock } from "./wall_clock.ts";

// Answers are put into the reflector's order within so many of its numbers.
const MAX_ORDER = 2 ** 16;

/** Counts questions and answers as they come, in bounded memory. */
export class Tally {
  readonly plan: Plan;
  readonly window: QuestionWindow;
  /** The answers by the reflector's numbers, as they arrive. */
  readonly back: Sequence = new Sequence();
  readonly order: AnswerOrder;
  readonly interval: IntervalTally = new IntervalTally();
  readonly rtt: Histogram = new Histogram();
  readonly path: Histogram = new Histogram();
  readonly reflector: Histogram = new Histogram();
  readonly lateness: Histogram = new Histogram();
  readonly outSpread: Spread = new Spread();
  readonly backSpread: Spread = new Spread();
  readonly outIpdv: Histogram = new Histogram();
  readonly backJitter: Smoothed = new Smoothed();
  readonly clocks: ClockDifference = new ClockDifference();
  readonly duplicates = { out: 0, back: 0 };
  sent = 0;
  received = 0;
  late = 0;
  notSent = 0;
  /** Datagrams that are no answer to any question that is still known. */
  unexpected = 0;
  /** Questions that were given up because the window was full. */
  overflowed = 0;
  /** Whether an answer had a number of the reflector's own. */
  isStateful = false;
  /** The first number of the reflector that belongs to what is counted. */
  firstAnswer = 0;
  /** When the first question was planned. */
  start = 0;
  readonly #clock: Clock;
  // What the wall clock is ahead of the socket's clock.
  readonly #origin: number;
  readonly #settings: MeasureSettings;
  #lastNumber = NaN;
  #lastOut = NaN;

  constructor(clock: Clock, settings: MeasureSettings) {
    const { rate, burst, waitMs, count } = settings;
    this.#clock = clock;
    this.#settings = settings;
    this.plan = new Plan(settings);
    this.#origin = wallClock(clock)() - clock.now();
    // Those of a second time limit, in which late answers are known, and room for
    // a sender that pauses.
    const size = Math.min(2.2 * waitMs * rate / 1000 + 2 * burst, count);
    this.window = new QuestionWindow(size);
    const slots = 2 ** Math.ceil(Math.log2(Math.max(64, size)));
    this.order = new AnswerOrder(Math.min(slots, MAX_ORDER));
  }

  /** A question is sent now. @returns Its number, and its time since 1970. */
  send(): { number: number; timeMs: number } {
    const now = this.#clock.now();
    if (this.window.isFull) {
      this.overflowed++;
      this.#retire(this.window.take());
    }
    const number = this.window.add(now);
    if (this.#isCounted(number)) {
      this.sent++;
      this.interval.sent++;
      this.lateness.record(now - this.#planned(number));
    }
    return { number, timeMs: now + this.#origin };
  }

  /** The system did not send a question. */
  fail(number: number): void {
    if (this.window.fail(number) && this.#isCounted(number)) this.notSent++;
  }

  /** Questions were not even given to the system, as there was no time left. */
  skip(count: number): void {
    this.sent += count;
    this.notSent += count;
  }

  /** An answer arrived. @param now When, on the socket's clock. */
  answer(answer: StampAnswer, now: number): void {
    const { window } = this;
    const number = window.unwrap(answer.question.number);
    if (!window.has(number) || window.state(number) === "not sent") {
      this.unexpected++;
      return;
    }
    if (answer.number !== answer.question.number) this.isStateful = true;
    if (!this.#isCounted(number)) {
      this.firstAnswer = Math.max(this.firstAnswer, answer.number + 1);
      if (window.state(number) === "waiting") this.#note(number, answer, now);
      return;
    }
    const arrival = this.back.add(answer.number);
    const state = window.state(number);
    const isFirst = state === "waiting" || state === "expired";
    // A reflector that began again numbers anew: then it is no copy either.
    if (arrival === "duplicate" && !isFirst) {
      // A stateless reflector has the same number for both: its time tells them.
      const isOther = !this.isStateful &&
        answer.timeMs !== window.answerTime(number);
      return this.#repeat(number, isOther ? "out" : "back");
    }
    if (arrival === "reordered") this.interval.reordered.back++;
    const { out, back } = this.#differences(number, answer, now);
    this.order.add(answer.number, number, out, back);
    this.backSpread.record(back);
    this.backJitter.add(back);
    if (!isFirst) return this.#repeat(number, "out");
    if (arrival === "in order") this.interval.order(number);
    this.#first(number, answer, now);
  }

  /** Gives up what takes too long. @param now On the socket's clock. */
  sweep(now: number): void {
    const { waitMs } = this.#settings;
    this.window.expire(now - waitMs);
    while (this.window.isOlder(now - 2 * waitMs)) {
      this.#retire(this.window.take());
    }
  }

  /** Gives up all that is left. */
  end(): void {
    while (this.window.first < this.window.next) {
      this.#retire(this.window.take());
    }
    this.order.end();
  }

  #isCounted(number: number): boolean {
    return number >= this.#settings.omitted;
  }

  #planned(number: number): number {
    return this.start + this.plan.at(number);
  }

  /** Delays of both ways, by two clocks. */
  #differences(number: number, answer: StampAnswer, now: number) {
    return {
      out: answer.receivedMs - this.window.sent(number) - this.#origin,
      back: now + this.#origin - answer.timeMs,
    };
  }

  #first(number: number, answer: StampAnswer, now: number): void {
    const { state, elapsed, reflectorMs, out } = this.#note(
      number,
      answer,
      now,
    );
    if (state === "late") {
      this.late++;
      return;
    }
    const rtt = now - this.#planned(number);
    this.received++;
    this.interval.received++;
    this.interval.rtt.record(rtt);
    this.rtt.record(rtt);
    this.path.record(elapsed - reflectorMs);
    this.reflector.record(reflectorMs);
    this.outSpread.record(out);
    const { back } = this.#differences(number, answer, now);
    this.clocks.add(out, back);
  }

  #note(number: number, answer: StampAnswer, now: number) {
    const elapsed = now - this.window.sent(number);
    const had = answer.timeMs - answer.receivedMs;
    // A reflector's clock may step, and a reflector may lie.
    const reflectorMs = Math.min(Math.max(had, 0), Math.max(elapsed, 0));
    const isLate = elapsed > this.#settings.waitMs;
    const state: "late" | "answered" = isLate ? "late" : "answered";
    const { out } = this.#differences(number, answer, now);
    this.window.answer(number, state, {
      received: now,
      reflectorMs,
      out,
      time: answer.timeMs,
    });
    return { state, elapsed, reflectorMs, out };
  }

  #repeat(number: number, way: "out" | "back"): void {
    this.window.repeat(number);
    this.duplicates[way]++;
    this.interval.duplicates[way]++;
  }

  /** A question leaves the window: nothing more becomes known of it. */
  #retire(question: OldQuestion): void {
    const { number, state, out } = question;
    if (!this.#isCounted(number)) return;
    if (state === "answered") {
      if (number === this.#lastNumber + 1) {
        this.outIpdv.record(Math.abs(out - this.#lastOut));
      }
      this.#lastNumber = number;
      this.#lastOut = out;
    }
    const { onPacket, report } = this.#settings;
    if (onPacket === undefined) return;
    try {
      const returned: unknown = onPacket(this.#packet(question));
      if (isThenable(returned)) Promise.resolve(returned).catch(report);
    } catch (error) {
      report(error);
    }
  }

  #packet(question: OldQuestion): MeasuredPacket {
    const { number, state, sent, received, reflectorMs } = question;
    const { omitted, sizes } = this.#settings;
    const origin = this.#planned(omitted);
    const isAnswered = state === "answered" || state === "late";
    return {
      number: number - omitted,
      size: sizes[number % sizes.length]!,
      plannedMs: this.#planned(number) - origin,
      sentMs: state === "not sent" ? undefined : sent - origin,
      receivedMs: isAnswered ? received - origin : undefined,
      reflectorMs: isAnswered ? reflectorMs : undefined,
      duplicates: question.duplicates,
      fate: state === "waiting" || state === "expired" ? "lost" : state,
    };
  }
}

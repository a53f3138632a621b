import type { Addr, NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Clock } from "../clock.ts";
import { SocketClosedError } from "../errors.ts";
import { connect } from "../open.ts";
import { ignoreRejection } from "../promises.ts";
import type { ReceivedRun } from "../run.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { until } from "../until.ts";
import { ClosingQuestion } from "./closing_question.ts";
import { IntervalQueue } from "./interval_queue.ts";
import { KernelTime } from "./kernel_time.ts";
import {
  type MeasureOptions,
  type MeasureSettings,
  readMeasureOptions,
} from "./options.ts";
import { QuestionSender, type Ssids } from "./question_sender.ts";
import type { MeasureInterval, MeasureResult } from "./result.ts";
import { decodeAnswer } from "./stamp.ts";
import { summarize } from "./summary.ts";
import { Tally } from "./tally.ts";
import { wallClock } from "./wall_clock.ts";

// After an error of receiving, for a carrier that fails again and again.
const PAUSE_MS = 10;
// A timer that is set for longer ends at once.
const LONGEST_MS = 2 ** 31 - 1;

/** A measurement that runs. */
export interface Measurement
  extends AsyncIterable<MeasureInterval>, AsyncDisposable {
  /**
   * The result, when the last answers are in. It rejects if the socket could not
   * be opened, or cannot send datagrams of such a size.
   */
  readonly result: Promise<MeasureResult>;
  /**
   * Stops sending. The result then covers what was sent until now, after the
   * usual wait for answers. A second call ends that wait, too.
   */
  stop(): void;
  /**
   * Iterates over the intervals, once: each is given to one loop. `break` does not
   * stop the measurement. Of intervals that are not read, 60 are kept; after that
   * the last one grows until there is room. What fails rejects as `result` does.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MeasureInterval>;
}

/**
 * Measures the path to a STAMP reflector (RFC 8762): sends numbered questions at
 * their planned times, whatever comes back, and counts what becomes of them in
 * each direction. Any STAMP or TWAMP Light reflector answers; `reflect` of this
 * library also says what it counted, so that all that is lost has its place.
 *
 * Delays count from the planned time of a question, so a sender that is late makes
 * none look shorter. A run is marked invalid if one question in a hundred left
 * more than 1 ms late (or a tenth of the distance between bursts, if that is
 * more), or if the rate was more than 1 % below the plan.
 *
 * Cancellation: `stop`, the signal, and disposing the measurement stop the
 * questions. The result then covers what was sent.
 *
 * @param address The reflector, as for `connect`.
 * @returns The measurement, which has begun. Its timers and its socket are gone
 * when `result` has settled.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or two exclude each other.
 *
 * @example
 * ```ts
 * import { measure, reflect } from "@pli/datagram/measure";
 *
 * await using reflector = reflect("udp://127.0.0.1:0");
 * await using running = measure(reflector.addr, { count: 10, waitMs: 500 });
 * const { sent, received, lost, rttMs } = await running.result;
 * const unanswered = Object.values(lost).reduce((sum, n) => sum + n);
 * console.log(unanswered === sent - received, rttMs.p99 >= rttMs.min); // true true
 * ```
 */
export function measure(
  address: string | NetAddr,
  options: MeasureOptions = {},
): Measurement {
  return new RunningMeasurement(address, readMeasureOptions(options));
}

class RunningMeasurement implements Measurement {
  readonly result: Promise<MeasureResult>;
  readonly #settings: MeasureSettings;
  readonly #intervals = new IntervalQueue();
  // The first ends the questions, the second all waits.
  readonly #stop = new AbortController();
  readonly #end = new AbortController();
  #hasKernelTime = false;

  constructor(address: string | NetAddr, settings: MeasureSettings) {
    this.#settings = settings;
    this.result = this.#run(address);
    this.result.then(
      () => this.#intervals.end(),
      (error) => this.#intervals.end({ error }),
    );
    ignoreRejection(this.result);
  }

  stop(): void {
    if (this.#stop.signal.aborted) this.#end.abort();
    this.#stop.abort();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<MeasureInterval> {
    return this.#intervals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.result.catch(() => {});
  }

  async #run(address: string | NetAddr): Promise<MeasureResult> {
    const { carrier, signal } = this.#settings;
    const abort = () => this.#stop.abort();
    const socket = await connect(address, { carrier, signal });
    signal?.addEventListener("abort", abort);
    try {
      return await this.#measure(socket);
    } finally {
      signal?.removeEventListener("abort", abort);
      await socket[Symbol.asyncDispose]();
    }
  }

  async #measure(socket: ConnectedSocket<Addr>): Promise<MeasureResult> {
    const { clock } = socket;
    const settings = this.#settings;
    const { omitted } = settings;
    const tally = new Tally(clock, settings);
    const ssids = ssidsOf(settings);
    const closing = new ClosingQuestion(socket, ssids.counted);
    const timeMs = wallClock(clock);
    tally.start = clock.now();
    const origin = tally.start + tally.plan.at(omitted);
    const timer = new IntervalTimer(clock, tally, origin, settings);
    timer.begin(this.#intervals);
    const receiving = this.#receive(socket, tally, closing, ssids);
    try {
      await new QuestionSender(socket, tally, settings, ssids)
        .send(this.#stop.signal);
      timer.allSent();
      const stopped = clock.now();
      const planned = tally.start + tally.plan.at(tally.window.next);
      const durationMs = this.#stop.signal.aborted
        ? stopped - origin
        : Math.max(planned, stopped) - origin;
      await until(clock, stopped + settings.waitMs, this.#end.signal);
      // What has arrived is in time, even if the program paused.
      await new Promise<void>((resolve) => void clock.turn(resolve));
      const number = tally.window.next;
      const isHeard = tally.received + tally.late > 0;
      const { signal } = this.#end;
      const answer = await closing.ask(number, isHeard, timeMs, signal);
      const ownDrops = await socket.kernelDrops();
      timer.end(this.#intervals);
      tally.end();
      return summarize(tally, {
        to: formatAddress(socket.remote),
        settings,
        durationMs: Math.max(0, durationMs),
        closing: answer,
        ownDrops,
        timeStamps: this.#hasKernelTime ? "system" : "program",
      });
    } finally {
      timer.cancel();
      socket.close();
      await receiving;
    }
  }

  /** Receives answers until the socket is closed. */
  async #receive(
    socket: ConnectedSocket<Addr>,
    tally: Tally,
    closing: ClosingQuestion,
    ssids: Ssids,
  ): Promise<void> {
    const { clock } = socket;
    let kernelTime: KernelTime | undefined;
    const take = (run: ReceivedRun<Addr>) => {
      let now = clock.now();
      if (run.time !== undefined && !clock.isVirtual) {
        this.#hasKernelTime = true;
        kernelTime ??= new KernelTime(clock);
        kernelTime.look();
        now = Math.min(now, kernelTime.own(run.time));
      }
      for (const bytes of run) {
        const answer = decodeAnswer(bytes);
        const isOwn = answer !== undefined &&
          // Reflectors that know no sessions have 0 there.
          [0, ssids.counted, ssids.omitted].includes(answer.ssid);
        if (!isOwn) tally.unexpected++;
        else if (!closing.take(answer)) tally.answer(answer, now);
      }
    };
    for (;;) {
      try {
        for await (const run of socket.runs({ reuse: true })) take(run);
        return;
      } catch (error) {
        if (error instanceof SocketClosedError) return;
        this.#settings.report(error);
        const never = new AbortController().signal;
        await until(clock, clock.now() + PAUSE_MS, never);
      }
    }
  }
}

/** Ends intervals at their times. */
class IntervalTimer {
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #origin: number;
  readonly #intervalMs: number;
  #from: number;
  #hasSent = false;
  #cancel = () => {};

  constructor(
    clock: Clock,
    tally: Tally,
    origin: number,
    { intervalMs }: MeasureSettings,
  ) {
    this.#clock = clock;
    this.#tally = tally;
    this.#origin = this.#from = origin;
    this.#intervalMs = intervalMs;
  }

  /** Begins the first one. */
  begin(queue: IntervalQueue): void {
    const next = (n: number) => {
      const now = this.#clock.now();
      const due = this.#origin + n * this.#intervalMs;
      const ms = Math.min(Math.max(0, due - now), LONGEST_MS);
      this.#cancel = this.#clock.after(ms, () => {
        const at = this.#clock.now();
        if (ms === LONGEST_MS && at < due) return next(n);
        this.#tally.sweep(at);
        if (queue.hasRoom && !this.#isQuiet) this.#close(queue, at);
        // After a pause of the program, the ones that are over are one.
        const passed = Math.floor((at - this.#origin) / this.#intervalMs);
        next(Math.max(n, passed) + 1);
      });
    };
    next(1);
  }

  /** All questions have left: intervals in which nothing happens are left out. */
  allSent(): void {
    this.#hasSent = true;
  }

  /** Ends the last one. */
  end(queue: IntervalQueue): void {
    this.cancel();
    if (!this.#isQuiet) this.#close(queue, this.#clock.now());
  }

  cancel(): void {
    this.#cancel();
  }

  get #isQuiet(): boolean {
    return this.#hasSent && this.#tally.interval.isEmpty;
  }

  #close(queue: IntervalQueue, at: number): void {
    queue.add({
      startMs: this.#from - this.#origin,
      durationMs: at - this.#from,
      ...this.#tally.interval.take(),
      waiting: this.#tally.window.waiting,
    });
    this.#from = at;
  }
}

function ssidsOf({ ssid, omitted }: MeasureSettings): Ssids {
  const counted = ssid ?? 1 + Math.floor(Math.random() * 65_535);
  const before = counted === 1 ? 65_535 : counted - 1;
  return { counted, omitted: omitted > 0 ? before : counted };
}

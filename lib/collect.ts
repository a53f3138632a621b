import type { Addr } from "./addr.ts";
import {
  milliseconds,
  requireFunction,
  requireOptions,
  wholeNumber,
} from "./check.ts";
import { Answers } from "./collect/answers.ts";
import {
  type CollectOptions,
  type Collector,
  type CollectorEnd,
  END_MS,
  type StopOptions,
} from "./collect/collector.ts";
import { EndLimit } from "./collect/end_limit.ts";
import { Input, requireSocket } from "./collect/input.ts";
import { SinkWriter } from "./collect/sink_writer.ts";
import type { Datagram } from "./datagram.ts";
import { isClosed } from "./errors.ts";
import { beforeAbort } from "./promises.ts";
import type { CollectorStats, Sink } from "./sink.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import { settles } from "./socket/peer_lines.ts";
import { pump } from "./socket/pump.ts";
import { dueTurn } from "./turns.ts";
import { reporter } from "./warnings.ts";

export type {
  CollectOptions,
  Collector,
  CollectorEnd,
  StopOptions,
} from "./collect/collector.ts";
export type {
  CheckpointedLog,
  CollectorStats,
  Message,
  MessageLog,
  Sink,
} from "./sink.ts";

const ACTION = "collect";

// How long the end receives what has arrived.
const DRAIN_MS = 1000;
const PAUSE_MS = 10;

/**
 * Receives the datagrams of a socket, numbers them, and writes them to sinks in
 * batches. A batch is written 2 to 4 ms after its first message arrived, or as
 * soon as it has 1,000 messages or 1 MiB. The collector closes the sinks, but not
 * the socket.
 *
 * The socket's `allow`, `deny` and `rateLimit` (see `bind`) decide which
 * datagrams are accepted.
 *
 * @throws {RangeError} `count`, `timeoutMs`, `endTimeoutMs` or `firstId` is out of
 * range.
 * @throws {TypeError} The socket or an option is of the wrong type.
 *
 * @example
 * ```ts
 * import { bind } from "@pli/datagram";
 * import { collect, type Sink } from "@pli/datagram/collect";
 *
 * const texts: string[] = [];
 * const sink: Sink = {
 *   name: "memory",
 *   write: (batch) => batch.forEach((m) => texts.push(m.datagram.text())),
 *   flush: () => Promise.resolve(),
 *   close: () => Promise.resolve(),
 *   get stats() {
 *     return { written: texts.length };
 *   },
 * };
 * await using socket = bind("udp://127.0.0.1:0", { allow: ["127.0.0.1"] });
 * const collector = collect(socket, { sinks: [sink], count: 1 });
 * await socket.send("Bonjour", socket.addr);
 * await collector.finished;
 * console.log(texts, (await collector.stats()).sinks["memory"]);
 * ```
 */
export function collect<A extends Addr>(
  socket: DatagramSocket<A>,
  options: CollectOptions<A> = {},
): Collector {
  requireSocket(ACTION, socket);
  requireOptions(ACTION, options);
  const { count = Infinity, timeoutMs, firstId = 1, sinks = [] } = options;
  const { endTimeoutMs = END_MS } = options;
  const { answer, onError } = options;
  for (const [name, value] of Object.entries({ answer, onError })) {
    if (value !== undefined) requireFunction(ACTION, name, value);
  }
  return new SocketCollector(socket, {
    answer,
    onError,
    sinks,
    count: wholeNumber(ACTION, "count", count, 0, Infinity),
    timeoutMs: milliseconds(ACTION, "timeoutMs", timeoutMs),
    endTimeoutMs: milliseconds(ACTION, "endTimeoutMs", endTimeoutMs),
    firstId: wholeNumber(ACTION, "firstId", firstId, 1),
  });
}

/** Checked options, with their defaults. */
type Checked<A extends Addr> =
  & Pick<
    CollectOptions<A>,
    "answer" | "onError" | "timeoutMs" | "endTimeoutMs"
  >
  & { sinks: readonly Sink[]; count: number; firstId: number };

class SocketCollector<A extends Addr> implements Collector {
  readonly finished: Promise<CollectorEnd>;
  readonly #socket: DatagramSocket<A>;
  readonly #input: Input<A>;
  readonly #sinks: SinkWriter;
  readonly #answers: Answers<A>;
  readonly #report: (error: unknown, sink?: Sink) => void;
  readonly #endTimeoutMs: number | undefined;
  readonly #limit: EndLimit;
  // Ends the wait of the receive loop.
  #release = () => {};
  #isDrained = true;
  #next: number;
  #lastAt: number;
  #end: CollectorEnd | undefined;
  #kernelDrops: number | undefined;

  constructor(socket: DatagramSocket<A>, options: Checked<A>) {
    const { clock } = socket;
    this.#socket = socket;
    this.#input = new Input(socket, options.count);
    this.#report = reporter<[Sink?]>(
      options.onError as ((error: unknown, sink?: Sink) => void) | undefined,
    );
    this.#sinks = new SinkWriter(ACTION, options.sinks, clock, this.#report);
    this.#answers = new Answers(socket, options.answer, this.#report);
    this.#limit = new EndLimit(clock);
    this.#endTimeoutMs = options.endTimeoutMs;
    this.#next = options.firstId;
    this.#lastAt = clock.now();
    this.finished = this.#run(options);
  }

  async stats(): Promise<CollectorStats> {
    await this.#countKernelDrops();
    const { withheld, ...stats } = this.#socket.stats;
    return {
      ...stats,
      withheld: { ...withheld, ...this.#answers.withheld },
      ...(this.#kernelDrops !== undefined &&
        { kernelDrops: this.#kernelDrops }),
      ...this.#sinks.stats,
    };
  }

  stop({ drain, timeoutMs }: StopOptions = {}): Promise<CollectorEnd> {
    const ms = milliseconds("stop", "timeoutMs", timeoutMs);
    if (drain && this.#end === undefined) this.#isDrained = false;
    this.#stop("stopped");
    if (ms !== undefined) this.#limit.within(ms);
    return this.finished;
  }

  #stop(end: CollectorEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#input.return();
    this.#release();
    this.#limit.within(this.#endTimeoutMs);
  }

  async #run(options: Checked<A>): Promise<CollectorEnd> {
    const { count, timeoutMs } = options;
    const cancel = timeoutMs === undefined ? undefined : this.#watch(timeoutMs);
    if (count === 0) this.#stop("count");
    await pump(this.#input, this.#socket.clock, (batch) => {
      this.#lastAt = this.#socket.clock.now();
      return this.#take(batch);
    }, this.#report);
    this.#stop("closed");
    cancel?.();
    const limit = this.#limit;
    if (!this.#isDrained) await this.#drain(limit.flush);
    this.#sinks.end();
    // An earlier count is not the last one, which may take too long.
    if (this.#end !== "closed") this.#kernelDrops = undefined;
    await Promise.all([
      beforeAbort(this.#answers.idle(), limit.flush),
      // While the socket is still open.
      beforeAbort(this.#countKernelDrops(), limit.flush),
      this.#sinks.flush(limit.flush),
    ]);
    this.#answers.clear();
    await this.#sinks.close(limit.close);
    limit.over();
    return this.#end ?? "closed";
  }

  /**
   * Takes a batch, from an index on.
   *
   * @returns What to await, if it has to wait: a sink is full, too many answers
   * are being sent, or the event loop has to turn.
   */
  #take(batch: readonly Datagram<A>[], from = 0): Promise<void> | undefined {
    for (let i = from; i < batch.length; i++) {
      const datagram = batch[i]!;
      this.#add(datagram);
      this.#input.took();
      if (this.#input.left === 0) this.#stop("count");
      const { full } = this.#sinks;
      const wait = full === undefined
        ? this.#answer(datagram)
        : this.#hold(full).then(() => this.#answer(datagram));
      const isLast = i === batch.length - 1;
      const pause = wait ?? (isLast ? undefined : dueTurn(this.#socket.clock));
      if (pause !== undefined) {
        return pause.then(() => this.#take(batch, i + 1));
      }
    }
    return undefined;
  }

  /** Begins to send the answer. Waits only if too many are being sent. */
  #answer(datagram: Datagram<A>): Promise<void> | undefined {
    try {
      const room = this.#answers.add(datagram);
      return room && this.#hold(room);
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  #add(datagram: Datagram<A>): void {
    this.#sinks.add({ id: this.#next++, time: new Date(), datagram });
  }

  /** Waits, but not beyond the stop. */
  #hold(wait: Promise<void>): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#release = resolve;
      wait.then(resolve);
    });
  }

  /** Receives what has arrived, unless a sink stays full. */
  async #drain(limit: AbortSignal): Promise<void> {
    const { clock } = this.#socket;
    const until = clock.now() + DRAIN_MS;
    while (!limit.aborted && clock.now() < until) {
      const { full } = this.#sinks;
      if (full !== undefined) {
        const hasRoom = settles(full, until - clock.now(), clock);
        await beforeAbort(hasRoom, limit);
        if (limit.aborted || !await hasRoom) return;
      }
      try {
        const datagram = await this.#socket.tryReceive();
        if (datagram === undefined) return;
        this.#add(datagram);
        this.#answers.add(datagram);
      } catch (error) {
        if (isClosed(error)) return;
        this.#report(error);
        // A persistent error makes no busy loop.
        await new Promise<void>((go) => void clock.after(PAUSE_MS, go));
      }
    }
  }

  /** What cannot be counted is not known, unless the socket is closed. */
  async #countKernelDrops(): Promise<void> {
    const drops = await this.#socket.kernelDrops();
    const isOver = this.#limit.isOver || this.#end === "closed";
    if (drops !== undefined || !isOver) this.#kernelDrops = drops;
  }

  /** Stops when no message arrives for this long. Returns how to cancel that. */
  #watch(timeoutMs: number): () => void {
    const { clock } = this.#socket;
    const check = () => {
      const left = this.#lastAt + timeoutMs - clock.now();
      if (left <= 0) this.#stop("timeout");
      else cancel = clock.after(Math.ceil(left), check);
    };
    let cancel = clock.after(timeoutMs, check);
    return () => cancel();
  }
}

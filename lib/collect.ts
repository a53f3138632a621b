import type { Addr, NetAddr } from "./addr.ts";
import type { Datagram } from "./datagram.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import { milliseconds, wholeNumber } from "./check.ts";
import { pump } from "./socket/pump.ts";
import { reporter } from "./warnings.ts";
import type { Data } from "./socket/outbox.ts";
import type { CollectorStats, Message, Sink } from "./sink.ts";

export type {
  CheckpointedLog,
  CollectorStats,
  Message,
  MessageLog,
  Sink,
} from "./sink.ts";

const ACTION = "collect";

// A batch is written when it has this size or this age, whichever comes first.
// A timer of 2 ms fires after 2 to 4 ms (measured on Linux).
const MAX_BATCH = 1000;
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_AGE_MS = 2;

/** Options of {@linkcode collect}. */
export interface CollectOptions<A extends Addr = NetAddr> {
  /**
   * The sinks, which all get each message, in this order. At the end they are
   * flushed in this order and closed in the reverse order, so that a sink may
   * read from one before it.
   * @default {none}
   */
  sinks?: readonly Sink[];
  /** Ends after this many messages. @default {Infinity} */
  count?: number;
  /**
   * Ends when no message has arrived for this many milliseconds.
   * @default {Infinity}
   */
  timeoutMs?: number;
  /** The number of the first message. @default {1} */
  firstId?: number;
  /**
   * Called with each datagram. The result is sent to the datagram's sender by
   * `socket.answer`; `undefined` sends nothing.
   * @default {nothing}
   */
  answer?: (datagram: Datagram<A>) => Data | undefined;
  /**
   * Called with an error of a sink, of `answer` or of the socket, and with the
   * sink if it was one. The collector goes on.
   * @default {prints it to the console}
   */
  onError?: (error: Error, sink?: Sink) => void;
}

/** Why a collector ended. */
export type CollectorEnd = "count" | "timeout" | "stopped" | "closed";

/** A running collector; {@linkcode collect} returns it. */
export interface Collector {
  /**
   * Resolves when the collector has ended and its sinks are closed: after `count`
   * messages, after `timeoutMs` without one, by `stop`, or because the socket was
   * closed.
   */
  readonly finished: Promise<CollectorEnd>;
  /** Returns the numbers of the socket and the sinks so far. */
  stats(): Promise<CollectorStats>;
  /**
   * Stops receiving, flushes pending messages to the sinks and closes the sinks.
   * Datagrams that have not been received stay in the socket.
   */
  stop(): Promise<CollectorEnd>;
}

/**
 * Receives the datagrams of a socket, numbers them, and writes them to sinks in
 * batches. A batch is written 2 to 4 ms after its first message arrived, or as
 * soon as it has 1,000 messages or 1 MiB. The collector closes the sinks, but not
 * the socket.
 *
 * The socket's `allow`, `deny` and `rateLimit` (see `bind`) decide which
 * datagrams are accepted.
 *
 * @throws {RangeError} `count`, `timeoutMs` or `firstId` is out of range.
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
 * console.log(texts, (await collector.stats()).sinks.memory);
 * ```
 */
export function collect<A extends Addr>(
  socket: DatagramSocket<A>,
  options: CollectOptions<A> = {},
): Collector {
  const { count = Infinity, timeoutMs, firstId = 1 } = options;
  return new SocketCollector(socket, {
    ...options,
    count: wholeNumber(ACTION, "count", count, 0, Infinity),
    timeoutMs: milliseconds(ACTION, "timeoutMs", timeoutMs),
    firstId: wholeNumber(ACTION, "firstId", firstId, 1),
  });
}

/** Checked options, with their defaults. */
type Checked<A extends Addr> =
  & CollectOptions<A>
  & Required<Pick<CollectOptions, "count" | "firstId">>;

class SocketCollector<A extends Addr> implements Collector {
  readonly finished: Promise<CollectorEnd>;
  readonly #socket: DatagramSocket<A>;
  readonly #datagrams: AsyncIterableIterator<Datagram<A>>;
  readonly #sinks: readonly Sink[];
  readonly #report: (error: unknown, sink?: Sink) => void;
  #batch: Message[] = [];
  #batchBytes = 0;
  #cancelFlush: (() => void) | undefined;
  // Resolves when no sink is full.
  #full: Promise<unknown> | undefined;
  #lastAt: number;
  #end: CollectorEnd | undefined;
  #kernelDrops: number | undefined;

  constructor(socket: DatagramSocket<A>, options: Checked<A>) {
    this.#socket = socket;
    this.#datagrams = socket[Symbol.asyncIterator]();
    this.#sinks = options.sinks ?? [];
    this.#report = reporter<[Sink?]>(
      options.onError as ((error: unknown, sink?: Sink) => void) | undefined,
    );
    this.#lastAt = socket.clock.now();
    this.finished = this.#run(options);
  }

  async stats(): Promise<CollectorStats> {
    this.#kernelDrops = await this.#socket.kernelDrops() ?? this.#kernelDrops;
    const gauges = this.#sinks.flatMap(({ name, gauges }) =>
      gauges === undefined ? [] : [[name, gauges]]
    );
    return {
      ...this.#socket.stats,
      ...(this.#kernelDrops !== undefined &&
        { kernelDrops: this.#kernelDrops }),
      sinks: Object.fromEntries(
        this.#sinks.map(({ name, stats }) => [name, stats]),
      ),
      ...(gauges.length > 0 && { gauges: Object.fromEntries(gauges) }),
    };
  }

  stop(): Promise<CollectorEnd> {
    this.#stop("stopped");
    return this.finished;
  }

  #stop(end: CollectorEnd): void {
    this.#end ??= end;
    this.#datagrams.return?.();
  }

  async #run(options: Checked<A>): Promise<CollectorEnd> {
    const { count, timeoutMs, firstId, answer } = options;
    const cancel = timeoutMs === undefined ? undefined : this.#watch(timeoutMs);
    let next = firstId;
    if (count === 0) this.#stop("count");
    await pump(this.#datagrams, this.#socket.clock, (datagram) => {
      this.#add({ id: next++, time: new Date(), datagram });
      if (next - firstId >= count) this.#stop("count");
      if (this.#full === undefined && answer === undefined) return;
      return this.#finish(datagram, answer);
    }, this.#report);
    this.#stop("closed");
    cancel?.();
    this.#flush();
    // While the socket is still open.
    this.#kernelDrops = await this.#socket.kernelDrops() ?? this.#kernelDrops;
    await this.#closeSinks();
    return this.#end ?? "closed";
  }

  /** Flushes the sinks in order. Closes those last that others read from. */
  async #closeSinks(): Promise<void> {
    for (const sink of this.#sinks) {
      await sink.flush().catch((error) => this.#report(error, sink));
    }
    for (const sink of this.#sinks.toReversed()) {
      await sink.close().catch((error) => this.#report(error, sink));
    }
  }

  /** Waits for full sinks, then until the answer is sent. */
  async #finish(
    datagram: Datagram<A>,
    answer: CollectOptions<A>["answer"],
  ): Promise<void> {
    await this.#full;
    const reply = answer?.(datagram);
    if (reply !== undefined) await this.#socket.answer(reply, datagram);
  }

  #add(message: Message): void {
    this.#lastAt = this.#socket.clock.now();
    this.#batch.push(message);
    this.#batchBytes += message.datagram.data.length;
    if (
      this.#batch.length >= MAX_BATCH || this.#batchBytes >= MAX_BATCH_BYTES
    ) this.#flush();
    else {
      this.#cancelFlush ??= this.#socket.clock.after(
        MAX_BATCH_AGE_MS,
        () => this.#flush(),
      );
    }
  }

  /** Writes the batch to each sink. Reports a sink that fails. */
  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    for (const sink of this.#sinks) {
      try {
        const full = sink.write(batch)
          ?.catch((error) => this.#report(error, sink));
        if (full !== undefined) this.#wait(full);
      } catch (error) {
        this.#report(error, sink);
      }
    }
  }

  #wait(full: Promise<void>): void {
    const all = Promise.all([this.#full, full]).then(() => {
      if (this.#full === all) this.#full = undefined;
    });
    this.#full = all;
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

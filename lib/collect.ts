import type { Addr, NetAddr } from "./addr.ts";
import type { Datagram } from "./datagram.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import { pump } from "./socket/pump.ts";
import { reporter } from "./warnings.ts";
import type { Data } from "./socket/outbox.ts";
import type { CollectorStats, Message, Sink } from "./sink.ts";

export type { Backlog, CollectorStats, Message, Past, Sink } from "./sink.ts";

// A batch goes on when it is that large or that old, whichever comes first.
const MAX_BATCH = 1000;
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_AGE_MS = 2;

/** How {@linkcode collect} collects. */
export interface CollectOptions<A extends Addr = NetAddr> {
  /**
   * Where the messages go: to each of them, in this order. At the end they are
   * flushed in this order and closed in the other, so that a sink may read from
   * one before it.
   * @default {none}
   */
  sinks?: readonly Sink[];
  /** Ends after so many messages. @default {Infinity} */
  count?: number;
  /** Ends when no message came for so many milliseconds. @default {Infinity} */
  timeoutMs?: number;
  /** The number of the first message. @default {1} */
  firstId?: number;
  /**
   * What to answer a message as soon as it has come, by `socket.answer`;
   * `undefined` for nothing.
   * @default {nothing}
   */
  answer?: (datagram: Datagram<A>) => Data | undefined;
  /**
   * Called with what a sink, an answer or the socket failed with, and the sink
   * where it was one; the collector goes on.
   * @default {prints it to the console}
   */
  onError?: (error: Error, sink?: Sink) => void;
}

/** Why a collector ended. */
export type CollectorEnd = "count" | "timeout" | "stopped" | "closed";

/** What {@linkcode collect} started. */
export interface Collector {
  /**
   * Resolves when it has ended and its sinks are closed: it had `count`
   * messages, none came for `timeoutMs`, it was stopped, or the socket closed.
   */
  readonly finished: Promise<CollectorEnd>;
  /** What the socket and the sinks have counted so far. */
  stats(): Promise<CollectorStats>;
  /** Receives no more, passes on what is here, closes the sinks. */
  stop(): Promise<CollectorEnd>;
}

/**
 * Receives all that comes to a socket, numbers it, and gives it to sinks in
 * batches: socket, guard (see `allow`, `deny` and `rateLimit` of `bind`), sinks.
 * Each message goes on within 2 ms. It closes the sinks, not the socket.
 *
 * @example
 * ```ts
 * import { bind } from "@pli/datagram";
 * import { collect, type Sink } from "@pli/datagram/collect";
 *
 * const seen: string[] = [];
 * const sink: Sink = {
 *   name: "seen",
 *   write: (batch) => batch.forEach((m) => seen.push(m.datagram.text())),
 *   flush: () => Promise.resolve(),
 *   close: () => Promise.resolve(),
 *   get stats() {
 *     return { seen: seen.length };
 *   },
 * };
 * await using socket = bind("udp://127.0.0.1:0", { allow: ["127.0.0.1"] });
 * const collector = collect(socket, { sinks: [sink], count: 1 });
 * await socket.send("Bonjour", socket.addr);
 * await collector.finished;
 * console.log(seen, (await collector.stats()).sinks.seen);
 * ```
 */
export function collect<A extends Addr>(
  socket: DatagramSocket<A>,
  options: CollectOptions<A> = {},
): Collector {
  return new SocketCollector(socket, options);
}

class SocketCollector<A extends Addr> implements Collector {
  readonly finished: Promise<CollectorEnd>;
  readonly #socket: DatagramSocket<A>;
  readonly #datagrams: AsyncIterableIterator<Datagram<A>>;
  readonly #sinks: readonly Sink[];
  readonly #report: (error: unknown, sink?: Sink) => void;
  #batch: Message[] = [];
  #batchBytes = 0;
  #cancelFlush: (() => void) | undefined;
  // Sinks that must not get more yet.
  #full: Promise<unknown> | undefined;
  #lastAt: number;
  #end: CollectorEnd | undefined;
  #kernelDrops: number | undefined;

  constructor(socket: DatagramSocket<A>, options: CollectOptions<A>) {
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
    return {
      ...this.#socket.stats,
      ...(this.#kernelDrops !== undefined &&
        { kernelDrops: this.#kernelDrops }),
      sinks: Object.fromEntries(
        this.#sinks.map(({ name, stats }) => [name, stats]),
      ),
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

  async #run(options: CollectOptions<A>): Promise<CollectorEnd> {
    const { count = Infinity, timeoutMs, firstId = 1, answer } = options;
    const cancel = timeoutMs === undefined ? undefined : this.#watch(timeoutMs);
    let next = firstId;
    if (count <= 0) this.#stop("count");
    await pump(this.#datagrams, this.#socket.clock, (datagram) => {
      this.#add({ id: next++, time: new Date(), datagram });
      if (next - firstId >= count) this.#stop("count");
      if (this.#full === undefined && answer === undefined) return;
      return this.#settle(datagram, answer);
    }, this.#report);
    this.#stop("closed");
    cancel?.();
    this.#flush();
    // While the socket is still open.
    this.#kernelDrops = await this.#socket.kernelDrops() ?? this.#kernelDrops;
    await this.#closeSinks();
    return this.#end ?? "closed";
  }

  /** Forward all pass on what they have; what others read from closes last. */
  async #closeSinks(): Promise<void> {
    for (const sink of this.#sinks) {
      await sink.flush().catch((error) => this.#report(error, sink));
    }
    for (const sink of this.#sinks.toReversed()) {
      await sink.close().catch((error) => this.#report(error, sink));
    }
  }

  /** Waits for full sinks, then for the answer to be sent. */
  async #settle(
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

  /** Gives the batch to every sink. One that fails is reported. */
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

  /** Ends it when nothing came for that long. Returns what ends the watch. */
  #watch(timeoutMs: number): () => void {
    const { clock } = this.#socket;
    const look = () => {
      const left = this.#lastAt + timeoutMs - clock.now();
      if (left <= 0) this.#stop("timeout");
      else cancel = clock.after(Math.ceil(left), look);
    };
    let cancel = clock.after(timeoutMs, look);
    return () => cancel();
  }
}

import { type Addr, copyAddr, type NetAddr } from "./addr.ts";
import {
  milliseconds,
  requireFunction,
  requireOptions,
  wholeNumber,
  wrongType,
} from "./check.ts";
import { copyDatagram, Datagram } from "./datagram.ts";
import { ignoreRejection, isThenable } from "./promises.ts";
import type { DatagramSocket } from "./socket/datagram_socket.ts";
import { type Data, encode } from "./socket/messages.ts";
import { PeerLines, settles } from "./socket/peer_lines.ts";
import { pump } from "./socket/pump.ts";
import { reporter } from "./warnings.ts";
import type { CollectorStats, Sink } from "./sink.ts";
import { SinkWriter } from "./sink_writer.ts";

export type {
  CheckpointedLog,
  CollectorStats,
  Message,
  MessageLog,
  Sink,
} from "./sink.ts";

const ACTION = "collect";

// How many answers are sent at a time, and how long the end waits for them.
const MAX_ANSWERS = 1024;
const ANSWERS_MS = 5000;

/** Options of {@linkcode collect}. */
export interface CollectOptions<A extends Addr = NetAddr> {
  /**
   * The sinks, which all get each message, in this order. At the end they are
   * flushed in this order and closed in the reverse order, so that a sink may
   * read from one before it.
   * @default {none}
   */
  sinks?: readonly Sink[] | undefined;
  /** Ends after this many messages. @default {Infinity} */
  count?: number | undefined;
  /**
   * Ends when no message has arrived for this many milliseconds.
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /** The number of the first message. @default {1} */
  firstId?: number | undefined;
  /**
   * Called with a copy of each datagram. The result is sent to the datagram's
   * sender by `socket.answer`; `undefined` sends nothing. A peer that takes its
   * answers slowly holds up no other: of its answers 256 are sent at a time, 4 MiB
   * wait, and more are counted as `withheld.busy`.
   * @default {nothing}
   */
  answer?: ((datagram: Datagram<A>) => Data | undefined) | undefined;
  /**
   * Called with an error of a sink, of `answer` or of the socket, and with the
   * sink if it was one. The collector goes on.
   * @default {prints it to the console}
   */
  onError?: ((error: Error, sink?: Sink) => void) | undefined;
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
  requireSocket(socket);
  requireOptions(ACTION, options);
  const { count = Infinity, timeoutMs, firstId = 1, sinks = [] } = options;
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
    firstId: wholeNumber(ACTION, "firstId", firstId, 1),
  });
}

/** A socket, or what wraps one: a program may pass its own. */
function requireSocket(socket: unknown): void {
  const { clock, answer, stats } = (socket ?? {}) as Partial<DatagramSocket>;
  if (
    typeof clock?.now === "function" && typeof answer === "function" &&
    typeof stats === "object"
  ) return;
  throw wrongType(ACTION, "socket", "a bound socket", socket);
}

/** Checked options, with their defaults. */
type Checked<A extends Addr> =
  & Pick<CollectOptions<A>, "answer" | "onError" | "timeoutMs">
  & { sinks: readonly Sink[]; count: number; firstId: number };

class SocketCollector<A extends Addr> implements Collector {
  readonly finished: Promise<CollectorEnd>;
  readonly #socket: DatagramSocket<A>;
  readonly #datagrams: AsyncIterableIterator<Datagram<A>>;
  readonly #sinks: SinkWriter;
  readonly #answers: PeerLines;
  readonly #report: (error: unknown, sink?: Sink) => void;
  #lastAt: number;
  #end: CollectorEnd | undefined;
  #kernelDrops: number | undefined;
  #withheld: number | undefined;

  constructor(socket: DatagramSocket<A>, options: Checked<A>) {
    const { clock } = socket;
    this.#socket = socket;
    this.#datagrams = socket[Symbol.asyncIterator]();
    this.#report = reporter<[Sink?]>(
      options.onError as ((error: unknown, sink?: Sink) => void) | undefined,
    );
    this.#sinks = new SinkWriter(ACTION, options.sinks, clock, this.#report);
    this.#answers = new PeerLines(MAX_ANSWERS, clock);
    if (options.answer !== undefined) this.#withheld = 0;
    this.#lastAt = socket.clock.now();
    this.finished = this.#run(options);
  }

  async stats(): Promise<CollectorStats> {
    this.#kernelDrops = await this.#socket.kernelDrops() ?? this.#kernelDrops;
    const { withheld, ...stats } = this.#socket.stats;
    return {
      ...stats,
      withheld: {
        ...withheld,
        ...(this.#withheld !== undefined && { busy: this.#withheld }),
      },
      ...(this.#kernelDrops !== undefined &&
        { kernelDrops: this.#kernelDrops }),
      ...this.#sinks.stats,
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
      this.#lastAt = this.#socket.clock.now();
      this.#sinks.add({ id: next++, time: new Date(), datagram });
      if (next - firstId >= count) this.#stop("count");
      const { full } = this.#sinks;
      return full === undefined
        ? this.#answer(datagram, answer)
        : full.then(() => this.#answer(datagram, answer));
    }, this.#report);
    this.#stop("closed");
    cancel?.();
    this.#sinks.end();
    await this.#endAnswers();
    // While the socket is still open.
    this.#kernelDrops = await this.#socket.kernelDrops() ?? this.#kernelDrops;
    await this.#sinks.close();
    return this.#end ?? "closed";
  }

  /** Begins to send the answer. Waits only if too many are being sent. */
  #answer(
    datagram: Datagram<A>,
    answer: CollectOptions<A>["answer"],
  ): Promise<void> | undefined {
    if (answer === undefined) return undefined;
    // A copy: the sinks get the datagram as it arrived, and may change it too.
    const { data: bytes, from, truncated } = datagram;
    const received = new Datagram(bytes, copyAddr(from), truncated);
    const reply: unknown = answer(copyDatagram(datagram));
    if (reply === undefined) return undefined;
    if (isThenable(reply)) ignoreRejection(reply);
    const data = encode(reply as Data);
    this.#answers.add({
      peer: received.from,
      size: data instanceof Uint8Array ? data.length : 0,
      run: () => this.#send(data, received),
      drop: () => void (this.#withheld = (this.#withheld ?? 0) + 1),
    });
    return this.#answers.room();
  }

  async #send(data: Data, datagram: Datagram<A>): Promise<void> {
    try {
      await this.#socket.answer(data, datagram);
    } catch (error) {
      this.#report(error);
    }
  }

  /** Waits for the answers, but not for a peer that does not take them. */
  async #endAnswers(): Promise<void> {
    const { clock } = this.#socket;
    if (!await settles(this.#answers.idle(), ANSWERS_MS, clock)) {
      this.#answers.clear();
    }
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

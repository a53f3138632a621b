import { countsOf, requireFunction, wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import { beforeAbort, isThenable } from "../promises.ts";
import type { CollectorStats, Message, Sink } from "../sink.ts";
import { settles } from "../socket/peer_lines.ts";

// A batch is written when it has this size or this age, whichever comes first.
// A timer of 2 ms fires after 2 to 4 ms (measured on Linux).
const MAX_BATCH = 1000;
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_AGE_MS = 2;
// What a sink has to count and to free when the time is over.
const GRACE_MS = 200;

/**
 * Writes messages to sinks in batches. A sink is the program's: whatever it
 * throws or returns is reported or left out, and the others go on.
 */
export class SinkWriter {
  readonly #sinks: readonly (readonly [name: string, sink: Sink])[];
  readonly #clock: Clock;
  readonly #report: (error: unknown, sink: Sink) => void;
  #batch: Message[] = [];
  #bytes = 0;
  #cancelFlush: (() => void) | undefined;
  #full: Promise<void> | undefined;

  /**
   * @param report Must not throw.
   * @throws {TypeError} The list or one of its elements is not what it must be.
   */
  constructor(
    action: string,
    sinks: readonly Sink[],
    clock: Clock,
    report: (error: unknown, sink: Sink) => void,
  ) {
    this.#sinks = checkSinks(action, sinks);
    this.#clock = clock;
    this.#report = report;
  }

  /** Resolves when no sink is full; `undefined` if none is. */
  get full(): Promise<void> | undefined {
    return this.#full;
  }

  /** The numbers of the sinks, by name. */
  get stats(): Pick<CollectorStats, "sinks" | "gauges"> {
    const gauges = this.#sinks.flatMap(([name, sink]) => {
      const names = gaugesOf(sink);
      return names === undefined ? [] : [[name, names] as const];
    });
    return {
      sinks: Object.fromEntries(
        this.#sinks.map(([name, sink]) => [name, countsOf(() => sink.stats)]),
      ),
      ...(gauges.length > 0 && { gauges: Object.fromEntries(gauges) }),
    };
  }

  add(message: Message): void {
    this.#batch.push(message);
    this.#bytes += message.datagram.data.length;
    if (this.#batch.length >= MAX_BATCH || this.#bytes >= MAX_BATCH_BYTES) {
      return this.#flush();
    }
    this.#cancelFlush ??= this.#clock.after(
      MAX_BATCH_AGE_MS,
      () => this.#flush(),
    );
  }

  /** Writes what is left. */
  end(): void {
    this.#flush();
  }

  /** Flushes the sinks, all at the same time, until the limit aborts. */
  async flush(limit: AbortSignal): Promise<void> {
    const flushed = this.#sinks.map(([, sink]) =>
      this.#call(sink, () => sink.flush())
    );
    await beforeAbort(Promise.all(flushed), limit);
  }

  /**
   * Closes the sinks, those last that others read from. A sink that is not closed
   * shortly after the limit has aborted is reported and left.
   */
  async close(limit: AbortSignal): Promise<void> {
    for (const [name, sink] of this.#sinks.toReversed()) {
      const closed = this.#call(sink, () => sink.close(limit));
      await beforeAbort(closed, limit);
      if (await settles(closed, GRACE_MS, this.#clock)) continue;
      const text = `the sink ${name} did not end in time`;
      this.#report(new Error(text), sink);
    }
  }

  async #call(sink: Sink, method: () => Promise<void>): Promise<void> {
    try {
      await method();
    } catch (error) {
      this.#report(error, sink);
    }
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    for (const [, sink] of this.#sinks) {
      try {
        // A list of its own: a sink may change it.
        const full: unknown = sink.write([...batch]);
        if (isThenable(full)) this.#wait(full, sink);
      } catch (error) {
        this.#report(error, sink);
      }
    }
  }

  #wait(full: PromiseLike<unknown>, sink: Sink): void {
    const reported = Promise.resolve(full)
      .catch((error) => this.#report(error, sink));
    const all = Promise.all([this.#full, reported]).then(() => {
      if (this.#full === all) this.#full = undefined;
    });
    this.#full = all;
  }
}

function checkSinks(
  action: string,
  sinks: readonly Sink[],
): (readonly [string, Sink])[] {
  if (!Array.isArray(sinks)) {
    throw wrongType(action, "sinks", "an array of sinks", sinks);
  }
  return (sinks as readonly Sink[]).map((sink) => {
    const { name, write, flush, close } = (sink ?? {}) as Partial<Sink>;
    if (typeof name !== "string") {
      throw wrongType(action, "the name of a sink", "text", name);
    }
    for (const [method, value] of Object.entries({ write, flush, close })) {
      requireFunction(action, `${method} of the sink ${name}`, value);
    }
    return [name, sink];
  });
}

/** Returns a sink's list of gauges, if it is one. */
function gaugesOf(sink: Sink): readonly string[] | undefined {
  try {
    const { gauges } = sink;
    return Array.isArray(gauges) ? gauges.map(String) : undefined;
  } catch {
    return undefined;
  }
}

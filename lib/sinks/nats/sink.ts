import type { Message, Sink } from "../../sink.ts";

/** The numbers of a NATS sink; see {@linkcode NatsSink}. */
export type NatsStats =
  & Readonly<
    Record<
      | "published"
      | "duplicates"
      | "waiting"
      | "overflow"
      | "refused"
      | "lost",
      number
    >
  >
  & { readonly sentAgain?: number };

/** A sink that publishes to NATS. */
export interface NatsSink extends Sink, AsyncDisposable {
  /** Takes messages. It never waits, whatever the broker does. */
  write(messages: readonly Message[]): void;
  /**
   * Resolves when the broker has acknowledged all messages that were written
   * before, or after `flushTimeoutMs`. The others then go on waiting.
   */
  flush(): Promise<void>;
  /**
   * Flushes, unless a collector with a `limit` did, and disconnects. Messages that still wait in memory are counted as
   * `lost`; those in a log stay there for the next run. A second call does
   * nothing.
   */
  close(limit?: AbortSignal): Promise<void>;
  /**
   * Counts messages. Each message that was written, or that the log still held
   * at the start, is in one of these:
   *
   * - `published`: the broker stored it and acknowledged it.
   * - `duplicates`: the broker acknowledged that it had the message already.
   * - `waiting`: not acknowledged so far.
   * - `overflow`: there was no room for it in memory.
   * - `refused`: the broker will never accept it, because it is too long.
   * - `lost`: it waited in memory when the sink was closed, was written after
   *   that, or was deleted from the log before it was published.
   *
   * If there are some, `sentAgain` counts those of the `published` that were sent
   * before without an acknowledgement, and again when the stream's duplicate
   * window was over: they may be in the stream twice.
   */
  readonly stats: NatsStats;
}

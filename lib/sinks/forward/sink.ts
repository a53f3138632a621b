import type { Message, Sink } from "../../sink.ts";

/** The numbers of a sink that forwards; see {@linkcode ForwardSink}. */
export type ForwardStats =
  & Readonly<
    Record<
      | "forwarded"
      | "waiting"
      | "refused"
      | "dropped.queue"
      | "dropped.rate"
      | "dropped.loop"
      | "lost",
      number
    >
  >
  & { readonly replies?: number; readonly unconfirmed?: number };

/** A sink that forwards messages to one destination. */
export interface ForwardSink extends Sink, AsyncDisposable {
  /** `forward:` and the destination's address, such as `forward:udp://10.0.0.7:514`. */
  readonly name: string;
  /** Takes messages. It never waits, whatever the destination does. */
  write(messages: readonly Message[]): void;
  /**
   * Resolves when nothing waits any more, or the destination is away: it is tried
   * once more then, at once.
   */
  flush(): Promise<void>;
  /**
   * Flushes for at most 5 seconds, unless a collector with a `limit` did, and
   * disconnects. Messages that still wait are counted as `lost`. A second call
   * does nothing.
   */
  close(limit?: AbortSignal): Promise<void>;
  /**
   * Counts messages. Each message that was written is in one of these:
   *
   * - `forwarded`: the system, or the peer's connection, has accepted it.
   * - `waiting`: not forwarded so far.
   * - `refused`: it cannot be forwarded: it is too long, or the framing cannot
   *   carry it.
   * - `dropped.queue`: there was no room for it, because the destination is away
   *   or too slow.
   * - `dropped.rate`: it exceeded the rate limit.
   * - `dropped.loop`: it came from a destination.
   * - `lost`: it waited when the sink was closed, was written after that, or the
   *   system could not send it by UDP.
   *
   * Two numbers are gauges, and there if they are not 0. `replies` counts messages from the destination on a
   * connection, which are dropped. `unconfirmed` counts those of the `forwarded`
   * that a connection is known to have lost, or may have (QUIC). TCP and TLS
   * cannot tell: what a peer had not read when its connection broke is
   * `forwarded`.
   */
  readonly stats: ForwardStats;
}

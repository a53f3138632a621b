import type { Message, Sink } from "../../sink.ts";

/**
 * What a NATS sink has counted. Every message that was written, or that the
 * backlog still held at the start, is in one of `published`, `waiting`,
 * `overflow`, `refused` and `lost`.
 */
export type NatsStats = Readonly<
  Record<
    | "published"
    | "duplicates"
    | "waiting"
    | "overflow"
    | "refused"
    | "lost",
    number
  >
>;

/** A sink that publishes to NATS. */
export interface NatsSink extends Sink, AsyncDisposable {
  /** Takes messages. It never waits, whatever the broker does. */
  write(messages: readonly Message[]): void;
  /**
   * Resolves when the broker has acknowledged all that was written before, or
   * after `flushTimeoutMs`: the others still wait then.
   */
  flush(): Promise<void>;
  /**
   * Flushes, then disconnects. What still waits in memory is counted as `lost`;
   * in a backlog it stays for the next time. A second call does nothing.
   */
  close(): Promise<void>;
  /**
   * `published`: acknowledged by the broker; `duplicates`: those among them that
   * it had already. `waiting`: not acknowledged yet. `overflow`: came when there
   * was no room in memory. `refused`: the broker will never take them, as too
   * long. `lost`: waited in memory when the sink was closed or came later, or
   * were gone from the backlog too early.
   */
  readonly stats: NatsStats;
}

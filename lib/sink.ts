import type { Addr } from "./addr.ts";
import type { SocketStats } from "./socket/stats.ts";
import type { Datagram } from "./datagram.ts";

/** A message that was collected: a datagram, its number, its time of arrival. */
export interface Message {
  /** The number: counts up from 1, in the order of arrival, without gaps. */
  readonly id: number;
  /** The time of arrival, to the millisecond. */
  readonly time: Date;
  /** The datagram, with its sender. */
  readonly datagram: Datagram<Addr>;
}

/**
 * A destination of collected messages: standard output, a database, a page, a
 * broker. It has five members, and an optional one, `gauges`.
 *
 * A sink takes batches in order and accounts for each message: the message has
 * an outcome, or it waits in the sink.
 */
export interface Sink {
  /**
   * The sink's name in the stats: one lower-case word. A sink of which there may be
   * several adds what tells them apart, as in `forward:udp://10.0.0.7:514`.
   */
  readonly name: string;
  /**
   * Takes messages. The list is the sink's own. The messages are those of all
   * sinks: a sink that changes one copies it first. A sink that keeps them beyond
   * this call must bound the memory that they take.
   *
   * @returns A promise only if the collector must not read on before it
   * resolves. A slow sink that counts what it drops returns nothing.
   * @throws The collector reports the error to `onError`. The other sinks get
   * the messages all the same.
   */
  write(messages: readonly Message[]): Promise<void> | void;
  /**
   * Resolves when each message that was written has an outcome, or cannot get
   * one for now (a broker is away).
   */
  flush(): Promise<void>;
  /**
   * Flushes, then frees all resources. A second call does nothing.
   *
   * @param limit Given by a collector, which has called `flush` before. It aborts
   * when the time is over. The sink then waits no more: it counts what is left,
   * and frees its resources.
   */
  close(limit?: AbortSignal): Promise<void>;
  /**
   * A snapshot of the sink's numbers, from 0; anything else is left out. Each is a count of messages that had one
   * outcome, such as `stored` or `lost`, and each message is in one of them.
   * Exceptions are `waiting`, the messages without an outcome so far, and the
   * numbers that `gauges` names.
   */
  readonly stats: Readonly<Record<string, number>>;
  /**
   * The names of those `stats` that do not count messages and may fall, such as
   * the number of open connections.
   * @default {none}
   */
  readonly gauges?: readonly string[] | undefined;
}

/** The numbers of a collector: those of its socket, and those of its sinks. */
export interface CollectorStats extends SocketStats {
  /**
   * Datagrams that the system dropped because the socket's buffer was full; over
   * `offload` at least so many.
   * Absent, or `null`, if that is unknown (see `DatagramSocket.kernelDrops`).
   */
  readonly kernelDrops?: number | null;
  /** The `stats` of each sink, by the sink's name. */
  readonly sinks: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The `gauges` of each sink that has some, by the sink's name. */
  readonly gauges?: Readonly<Record<string, readonly string[]>>;
}

/** Messages that can be read again: those of a store, or the newest in memory. */
export interface MessageLog {
  /**
   * Identifies the log: in a log of another identity, the same numbers belong to
   * other messages. A store saves it, so it stays the same after a restart.
   */
  readonly identity: string;
  /** The highest number so far; 0 before the first message. */
  readonly lastId: number;
  /** Returns at most `limit` messages with numbers above `id`, oldest first. */
  after(id: number, limit: number): Message[];
}

/** A log that remembers how far its messages were published, per destination. */
export interface CheckpointedLog extends MessageLog {
  /** Returns the number up to which all messages were published; 0 for none. */
  checkpoint(destination: string): number;
  /** Saves that all messages up to that number were published. */
  saveCheckpoint(destination: string, id: number): void;
  /**
   * Returns the epoch of a message. An epoch is random, and made each time that
   * the log is opened, so that with the number it identifies one message even
   * where logs were copied or restored. A message keeps its epoch.
   * @default {the identity}
   */
  epochOf?(id: number): string;
  /**
   * Begins a new epoch at that message, because another log has the present one.
   * Resolves when it is saved.
   * @default {nothing}
   */
  beginEpoch?(id: number): Promise<void>;
}

import type { Addr } from "./addr.ts";
import type { SocketStats } from "./socket/stats.ts";
import type { Datagram } from "./datagram.ts";

/** A datagram that was collected: what came, when, and its number. */
export interface Message {
  /** Its number: 1 and up, in the order of arrival, without gaps. */
  readonly id: number;
  /** When it came, to the millisecond. */
  readonly time: Date;
  /** What came, from whom. */
  readonly datagram: Datagram<Addr>;
}

/**
 * Where collected messages go: standard output, a database, a page, a broker. A
 * sink takes batches in order and answers for what it took: each message is
 * passed on, still waits in it, or is counted as lost in its `stats`.
 */
export interface Sink {
  /** What it is called in the stats: one lower-case word. */
  readonly name: string;
  /**
   * Takes messages. What it keeps beyond this call, it keeps in bounded memory.
   *
   * @returns A promise only where the collector must read no more until it
   * resolves; a slow sink that can count what it loses returns none.
   * @throws What is reported to the collector's `onError`; the others go on.
   */
  write(messages: readonly Message[]): Promise<void> | void;
  /**
   * Resolves when all that it took is passed on, counted as lost, or cannot be
   * passed on for now.
   */
  flush(): Promise<void>;
  /** Flushes, then lets go of what it holds. A second call does nothing. */
  close(): Promise<void>;
  /** What it has counted so far, by name: a copy that does not change. */
  readonly stats: Readonly<Record<string, number>>;
}

/** What a collector's socket and sinks have counted: the same everywhere. */
export interface CollectorStats extends SocketStats {
  /**
   * What the system dropped for want of buffer; absent where that cannot be
   * known (see `DatagramSocket.kernelDrops`).
   */
  readonly kernelDrops?: number;
  /** The sinks' own stats, by the sink's name. */
  readonly sinks: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Messages that can be read again: those of a store, or the last few in memory. */
export interface Past {
  /**
   * Whose numbers these are: another one, other messages. A store keeps it with
   * its messages, so it is the same after a restart.
   */
  readonly id: string;
  /** The highest number so far; 0 before the first message. */
  readonly lastId: number;
  /** Messages with a higher number, oldest first. */
  after(id: number, limit: number): Message[];
  /** The newest ones, oldest first. */
  latest(limit: number): Message[];
}

/** A past that remembers how far its messages were handed on. */
export interface Backlog extends Past {
  /** The number up to which all messages were handed on there; 0 for none. */
  handedOn(destination: string): number;
  /** All messages up to that number were handed on. */
  markHandedOn(destination: string, id: number): void;
}

import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import type { DirectionStats } from "./direction_stats.ts";
import type { Faults } from "./faults.ts";
import type { RelayFate } from "./relay_fate.ts";
import type { Rule } from "./rules.ts";

/** How `startRelay` relays. */
export interface RelayOptions extends Faults {
  /**
   * The address that clients send to, as `udp://127.0.0.1:7000`. Port 0 is any
   * free one.
   */
  listen: string | NetAddr;
  /** The server's address. A name is looked up once. */
  to: string | NetAddr;
  /**
   * Carries UDP, on both sides: `offload()` relays datagrams in runs.
   * @default {Deno's own UDP}
   */
  carrier?: CarrierSource | undefined;
  /** Seed of the random generators; the same seed decides the same. @default {1} */
  seed?: number | undefined;
  /**
   * After how many milliseconds without a datagram a client is forgotten.
   * @default {60000}
   */
  idleMs?: number | undefined;
  /**
   * How many clients there may be at a time; datagrams of others are dropped.
   * @default {1024}
   */
  maxSessions?: number | undefined;
  /**
   * Called if the system or a rule fails: if the upstream socket of a client cannot be
   * opened (its datagram is counted as `refused`), or a datagram cannot be sent
   * (`notSent`) or received. The relay goes on.
   * @default {prints each kind of error once to standard error}
   */
  onError?: ((error: unknown) => void) | undefined;
  /**
   * Called with each datagram and each copy when its fate is known, so that the
   * calls of one fate are as many as the relay's counts say. If it throws,
   * `onError` is called, and the relay goes on.
   * @default {nothing}
   */
  onFate?: ((fate: RelayFate) => void) | undefined;
}

/** What a relay has counted so far. */
export interface RelayStats {
  /** From clients to the server. */
  readonly up: Readonly<DirectionStats>;
  /** From the server to clients. */
  readonly down: Readonly<DirectionStats>;
  /** How many clients there are now. */
  readonly sessions: number;
  /** How many clients were forgotten because they were silent. */
  readonly expired: number;
  /**
   * Datagrams of clients that could get no session, and of the server from ports
   * for which no socket could be opened.
   */
  readonly refused: number;
  /** Datagrams that came to an upstream port from another host than the server. */
  readonly strangers: number;
}

/** A relay that `startRelay` started. */
export interface Relay extends AsyncDisposable {
  /** The address that clients send to. */
  readonly addr: NetAddr;
  /** What it has counted so far: a copy. */
  readonly stats: RelayStats;
  /**
   * Changes faults from now on, in both directions or in one; those that are not
   * given stay. Datagrams that are held keep their times, and later ones do not
   * overtake them.
   *
   * @throws {RangeError} A fault is out of range, or the direction is neither.
   * @throws {TypeError} There is no such fault.
   */
  set(faults: Faults, direction?: "up" | "down"): void;
  /**
   * Adds a rule, which is asked about each datagram that the relay receives, in
   * both directions or in one. Rules are asked in the order in which they were
   * added, until one decides; then the faults apply. If a rule throws, or returns
   * something else than a verdict, `onError` is called, and the datagram passes as
   * if there were no rule.
   *
   * @returns Removes the rule when it is disposed.
   * @throws {RangeError} The direction is neither.
   * @throws {TypeError} The rule is no function.
   */
  rule(rule: Rule, direction?: "up" | "down"): Disposable;
  /**
   * Returns how many datagrams the system dropped before the relay could read
   * them, at all its sockets, those of clients that were forgotten included; see
   * `DatagramSocket.kernelDrops`.
   */
  kernelDrops(): Promise<number | undefined>;
  /** Stops the relay. Datagrams that it holds are not sent. */
  close(): Promise<void>;
}

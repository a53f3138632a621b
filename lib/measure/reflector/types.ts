import type { NetAddr } from "../../addr.ts";
import type { BindOptions } from "../../open.ts";
import type { Refusals } from "./refusals.ts";

/** How {@linkcode reflect} reflects. */
export interface ReflectOptions extends
  Pick<
    BindOptions,
    "allow" | "deny" | "carrier" | "family" | "reuseAddress"
  > {
  /**
   * Ports that are answered although a server may have them: the reflector's own,
   * 862, and those below 1024. Two reflectors that answer each other's answers
   * would never stop.
   * @default {none}
   */
  allowPorts?: readonly number[] | undefined;
  /**
   * How many questions of a session are answered per second, and as many at once.
   * All sessions of one host together get ten times as many. More than 1,000 need
   * `allow`.
   * @default {1000; Infinity if `allow` is given}
   */
  maxRate?: number | undefined;
  /** Called once with the local address when the reflector listens. */
  onListen?: ((addr: NetAddr) => void) | undefined;
  /**
   * Called with an error of the socket or of an answer.
   * @default {prints it to the console}
   */
  onError?: ((error: unknown) => void) | undefined;
  /** When it aborts, the reflector shuts down as `shutdown()` does. */
  signal?: AbortSignal | undefined;
}

/**
 * What a reflector has counted so far. Each datagram that it received is in
 * `answered`, in `counted`, in `answering` or under one reason in `refused`.
 */
export interface ReflectorStats {
  /** Datagrams that it received. */
  readonly received: number;
  /** Questions that were answered. */
  readonly answered: number;
  /** Questions for the counts of their session that were answered. */
  readonly counted: number;
  /** Questions whose answers are being sent. */
  readonly answering: number;
  /** Datagrams that were not answered, by reason. */
  readonly refused: Readonly<Refusals>;
  /** Sessions that are not over, at most 1,000. */
  readonly sessions: number;
  /** Sessions that have begun. */
  readonly begun: number;
  /** Sessions that ended after 30 seconds of silence. */
  readonly expired: number;
  /** Sessions that were silent for a second and made room for another. */
  readonly replaced: number;
  /**
   * Sessions without an identifier that ended since their sender began again:
   * number 0 came once more, after 200 ms without any.
   */
  readonly restarted: number;
  /**
   * Datagrams that the socket dropped, by reason: `denied` (see `allow` and
   * `deny`), and those of `DatagramSocket`.
   */
  readonly dropped: Readonly<Record<string, number>>;
}

/** A reflector that {@linkcode reflect} started. */
export interface Reflector extends AsyncDisposable {
  /** The local address, with the port that the system chose. */
  readonly addr: NetAddr;
  /**
   * Resolves when the reflector has ended and the socket is closed. Rejects only
   * if the socket could not be opened or closed, or if `onListen` threw.
   */
  readonly finished: Promise<void>;
  /** What it has counted so far. */
  readonly stats: ReflectorStats;
  /**
   * Stops receiving, waits for the answers that are being sent, at most 5 seconds,
   * and closes the socket.
   *
   * @throws The errors of {@linkcode Reflector.finished}.
   */
  shutdown(): Promise<void>;
  /** Returns how many datagrams the system dropped: see `DatagramSocket`. */
  kernelDrops(): Promise<number | undefined>;
  /** Makes the reflector keep the program running. This is the default. */
  ref(): void;
  /** Allows the program to end although the reflector listens. */
  unref(): void;
}

/** What a measurement of a path gives. Times are in milliseconds. */

/** How a set of delays is distributed, in milliseconds. */
export interface Delays {
  /** How many delays there are; without any, all other members are 0. */
  readonly count: number;
  /** The shortest. */
  readonly min: number;
  /** The arithmetic mean. */
  readonly mean: number;
  /** The median. */
  readonly p50: number;
  /** The 90th percentile. */
  readonly p90: number;
  /** The 99th percentile. */
  readonly p99: number;
  /** The 99.9th percentile. */
  readonly p999: number;
  /** The 99.99th percentile. */
  readonly p9999: number;
  /** The longest. */
  readonly max: number;
}

/** A number for each direction of the path. */
export interface ByDirection<T = number> {
  /** From the sender to the reflector. */
  readonly out: T;
  /** From the reflector to the sender. */
  readonly back: T;
}

/**
 * Where the questions are that were not answered in time. The members add up to
 * `sent - received`.
 */
export interface Lost {
  /** Not sent by the sender's system, such as for want of a buffer. */
  readonly ownSend: number;
  /** Lost on the way to the reflector. */
  readonly out: number;
  /** Arrived at the reflector's system and dropped there, as far as it says so. */
  readonly reflector: number;
  /** Lost on the way back. */
  readonly back: number;
  /** Came back and were dropped by the own system (`kernelDrops`). */
  readonly ownReceive: number;
  /** Came back later than the time limit. */
  readonly late: number;
  /**
   * Lost, but the reflector does not say in which direction. 0 for a reflector of
   * this library that answered the last question for its counts.
   */
  readonly unknown: number;
}

/** Reordering in one direction (RFC 4737). */
export interface Reordering {
  /** How many datagrams were reordered (Type-P-Reordered, section 3.3). */
  readonly count: number;
  /** Their part of the datagrams that arrived, duplicates apart (section 4.1). */
  readonly ratio: number;
  /** The largest extent, in datagrams (section 4.2). */
  readonly maxExtent: number;
  /** The mean extent of the reordered datagrams. */
  readonly meanExtent: number;
}

/** How much delays vary in one direction. Clocks need not be synchronised. */
export interface Jitter {
  /** The smoothed interarrival jitter at the end (RFC 3550, section 6.4.1). */
  readonly rfc3550: number;
  /** The absolute differences between consecutive delays (RFC 5481, IPDV). */
  readonly ipdv: Delays;
  /** Each delay less the shortest (RFC 5481, PDV). */
  readonly pdv: Delays;
}

/** What one interval of a measurement, a second by default, or all of it gives. */
export interface MeasureCounts {
  /** How many questions left, or should have left. */
  readonly sent: number;
  /** How many of them were answered in time, duplicates apart. */
  readonly received: number;
  /** How many datagrams came once more, by the direction in which they doubled. */
  readonly duplicates: ByDirection;
  /** How many datagrams were reordered, by direction. */
  readonly reordered: ByDirection;
  /** From the planned time of a question until its answer came. */
  readonly rttMs: Delays;
}

/** One interval of a running measurement. */
export interface MeasureInterval extends MeasureCounts {
  /** When it began, in milliseconds since the first question was planned. */
  readonly startMs: number;
  /** How long it lasted, in milliseconds. */
  readonly durationMs: number;
  /** How many questions are neither answered nor given up yet. */
  readonly waiting: number;
}

/** The result of a measurement, as JSON can hold it. */
export interface MeasureResult extends MeasureCounts {
  /** The version of this form. */
  readonly version: 1;
  /** Whether the numbers can be trusted; if not, `invalid` says why. */
  readonly valid: boolean;
  /** Why the run is invalid, one sentence each, such as a late sender. */
  readonly invalid: readonly string[];
  /** The address that was measured. */
  readonly to: string;
  /** Whether the reflector numbers its answers per session (RFC 8762). */
  readonly reflector: "pli" | "stateful" | "stateless";
  /** The planned rate, in datagrams per second. */
  readonly rate: number;
  /** The lengths of the datagrams, in bytes, as they took turns. */
  readonly sizes: readonly number[];
  /** How long questions left, in milliseconds, without the part that was omitted. */
  readonly durationMs: number;
  /** Where the unanswered questions are. */
  readonly lost: Lost;
  /**
   * Datagrams that are no answer to any question of this measurement, or came
   * later than twice the time limit.
   */
  readonly unexpected: number;
  /**
   * The round trip from when a question left, without the time that the reflector
   * had it.
   */
  readonly pathMs: Delays;
  /** The time that the reflector had the question. */
  readonly reflectorMs: Delays;
  /** How late the questions left, from their planned time. */
  readonly latenessMs: Delays;
  /** Reordering by direction. */
  readonly reordering: ByDirection<Reordering>;
  /** Jitter by direction. */
  readonly jitterMs: ByDirection<Jitter>;
  /**
   * One-way delays with the estimated difference of the clocks taken out.
   * @default {absent, unless `oneWay` was asked for}
   */
  readonly oneWayMs?: {
    /** The estimated difference: the reflector's clock less the own one. */
    readonly clockDifference: number;
    /** The estimate can be wrong by as much as this. */
    readonly clockError: number;
    readonly out: Delays;
    readonly back: Delays;
  } | undefined;
  /** Whose times of arrival were used: the program's own, or the system's. */
  readonly timeStamps: "program" | "system";
}

/** What became of one question: a line of `--packets`. */
export interface MeasuredPacket {
  /** Its number, from 0. */
  readonly number: number;
  /** Its length in bytes. */
  readonly size: number;
  /** When it should leave, in milliseconds since the first one was planned. */
  readonly plannedMs: number;
  /** When it left, or `undefined` if the system refused it. */
  readonly sentMs: number | undefined;
  /** When its first answer came, or `undefined`. */
  readonly receivedMs: number | undefined;
  /** How long the reflector had it, or `undefined`. */
  readonly reflectorMs: number | undefined;
  /** How many further answers came to it. */
  readonly duplicates: number;
  /** What became of it. `lost`: it is unknown in which direction. */
  readonly fate: "answered" | "late" | "lost" | "not sent";
}

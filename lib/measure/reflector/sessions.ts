import type { NetAddr } from "../../addr.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import { sourceOf } from "../../limits/guard.ts";
import type { Clock } from "../../clock.ts";
import { Bucket, limitOf } from "../../limits/rate.ts";
import { Sequence } from "../sequence.ts";
import type { SessionCounts } from "../stamp.ts";

/** How many sessions there are at most. */
export const MAX_SESSIONS = 1000;
/** A session ends after so long a silence, in milliseconds. */
export const SILENCE_MS = 30_000;

// When all places are taken, a new session takes that of one that is so silent.
const REPLACE_MS = 1000;
// A sender that has no session identifier, but the same port as before, begins
// again with number 0. One that comes so soon after others is a copy.
const RESTART_MS = 200;
// How exactly the sessions are in the order of their silence.
const ORDER_MS = 100;
// One host may have as much as so many sessions, however many it has: else the
// sender of forged questions could make a host get as much as all sessions.
const SESSIONS_PER_SOURCE = 10;
// Of 24 bytes each, so that a flood fills 25 MB at most.
const MAX_GAPS = 1024;

/** Where a session begins. */
interface Beginning {
  /** Its number among all sessions, from 1. */
  readonly ordinal: number;
  /** Whether there were others. */
  readonly hasCompany: boolean;
  /** What limits its answers. */
  readonly buckets: readonly Bucket[];
}

/** What a reflector keeps of a sender. */
export class Session {
  /** When its last datagram came, on the socket's clock. */
  lastAt: number;
  /** When it got its place in the order. */
  movedAt: number;
  /** How many of its questions were answered. */
  answered = 0;
  /** How many of them were refused, by their rate or their length. */
  limited = 0;
  /** Whether a question for its counts is being answered. */
  isAsked = false;
  /** What the system had dropped when it began. */
  droppedBefore: number | undefined;
  #hasFirst = false;
  readonly #beginning: Beginning;
  readonly #numbers = new Sequence(MAX_GAPS);
  #next = 0;

  constructor(now: number, beginning: Beginning) {
    this.lastAt = this.movedAt = now;
    this.#beginning = beginning;
  }

  /** Counts a question. */
  count(number: number): void {
    this.#numbers.add(number);
    if (number === 0) this.#hasFirst = true;
  }

  /** Returns whether a question begins another session in the place of this. */
  isOver(ssid: number, number: number, now: number): boolean {
    const silence = now - this.lastAt;
    const isRestarted = ssid === 0 && number === 0 && this.#hasFirst;
    return silence > SILENCE_MS || isRestarted && silence >= RESTART_MS;
  }

  /** Returns whether one more answer is within the limits, and counts it. */
  allows(now: number): boolean {
    return this.#beginning.buckets.every((bucket) => bucket.take(now));
  }

  /** Returns the number that the next answer to a question will have. */
  get next(): number {
    return this.#next >>> 0;
  }

  /** Returns the number of the next answer. The one after it has the next. */
  number(): number {
    return this.#next++ >>> 0;
  }

  /**
   * Returns what it counted.
   *
   * @param dropped What the system has dropped by now.
   * @param begun How many sessions have begun by now.
   */
  counts(dropped: number | undefined, begun: number): SessionCounts {
    const { answered, limited, droppedBefore } = this;
    const { ordinal, hasCompany } = this.#beginning;
    const { tooOld: _, ...numbers } = this.#numbers.counts;
    return {
      ...numbers,
      answered,
      limited,
      dropped: dropped === undefined || droppedBefore === undefined
        ? undefined
        : dropped - droppedBefore,
      isShared: hasCompany || begun > ordinal,
    };
  }
}

/** The sessions of a reflector, one per peer and session identifier. */
export class Sessions {
  /** How many there have been. */
  begun = 0;
  /** How many ended in silence. */
  expired = 0;
  /** How many were silent and had to make room for others. */
  replaced = 0;
  /** How many ended since their sender began again. */
  restarted = 0;
  readonly #clock: Clock;
  // In the order of their silence, the longest first, to 100 ms.
  readonly #sessions = new Map<string, Session>();
  readonly #bucketsOf: (hostname: string) => readonly Bucket[];

  /** @param perSecond How many answers a session gets; `Infinity`: any number. */
  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock;
    const ofSession = limitOf(perSecond);
    const ofSource = limitOf(perSecond * SESSIONS_PER_SOURCE);
    if (ofSession === undefined || ofSource === undefined) {
      this.#bucketsOf = () => [];
    } else {
      const sources = new BoundedMap(() => new Bucket(ofSource, clock.now()));
      this.#bucketsOf = (hostname) => [
        new Bucket(ofSession, clock.now()),
        sources.get(sourceOf(hostname)),
      ];
    }
  }

  /** How many there are. */
  get size(): number {
    this.#expire();
    return this.#sessions.size;
  }

  /**
   * Returns the session of a question, which may begin with it; `undefined` if
   * there is no room for one more.
   *
   * @param number The number of the question.
   * @param now The time on the socket's clock.
   */
  get(
    { hostname, port }: NetAddr,
    ssid: number,
    number: number,
    now: number,
  ): Session | undefined {
    const key = `${hostname} ${port} ${ssid}`;
    const known = this.#sessions.get(key);
    if (known === undefined) return this.#begin(key, hostname, now);
    if (known.isOver(ssid, number, now)) {
      this.#expire();
      if (this.#sessions.delete(key)) this.restarted++;
      return this.#begin(key, hostname, now);
    }
    known.lastAt = now;
    if (now - known.movedAt > ORDER_MS) {
      known.movedAt = now;
      this.#sessions.delete(key);
      this.#sessions.set(key, known);
    }
    return known;
  }

  #begin(key: string, hostname: string, now: number): Session | undefined {
    this.#expire();
    if (!this.#hasRoom(now)) return undefined;
    const session = new Session(now, {
      ordinal: ++this.begun,
      hasCompany: this.#sessions.size > 0,
      buckets: this.#bucketsOf(hostname),
    });
    this.#sessions.set(key, session);
    return session;
  }

  /** Makes room if there is none and a session is silent. */
  #hasRoom(now: number): boolean {
    if (this.#sessions.size < MAX_SESSIONS) return true;
    for (const [key, { lastAt }] of this.#sessions) {
      if (now - lastAt < REPLACE_MS) break;
      this.replaced++;
      return this.#sessions.delete(key);
    }
    return false;
  }

  /** Ends those that have been silent for 30 seconds. */
  #expire(): void {
    const now = this.#clock.now();
    for (const [key, { lastAt, movedAt }] of this.#sessions) {
      if (now - movedAt <= SILENCE_MS) return;
      if (now - lastAt <= SILENCE_MS) continue;
      this.#sessions.delete(key);
      this.expired++;
    }
  }
}

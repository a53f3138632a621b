import { type Addr, isConnected } from "../addr.ts";
import { isLoopback } from "../address/host.ts";
import { outOfRange } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import type { Attempt } from "../errors.ts";
import { BoundedMap } from "./bounded_map.ts";
import { Bucket, limitOf, type Rate, readRate } from "./rate.ts";

/** How a bound socket limits what `answer` sends. */
export interface AnswerOptions {
  /**
   * How many answers each peer gets. Without a limit, two servers that answer
   * each other's answers would never stop (CVE-2024-2169); each answer that is
   * withheld ends one such loop. Over connections there is no such loop: a bound
   * socket accepts them and makes none.
   * @default {1000 per second, 10,000 at once; no limit if peers are connected}
   */
  answerLimit?: Rate | undefined;
  /**
   * How many bytes of answers a peer gets for each byte that it sent, if the
   * socket is bound beyond loopback: a forged source must not make the server
   * flood a victim. 3 is the rule of QUIC (RFC 9000, section 8.1); a higher
   * number is for networks in which sources cannot be forged. Over TCP, TLS and
   * QUIC they cannot: a peer has to agree to a connection.
   * @default {3; no limit if peers are connected}
   */
  maxAmplification?: number | undefined;
}

const ANSWER_LIMIT: Rate = { perSecond: 1000, burst: 10_000 };
const MAX_AMPLIFICATION = 3;

/** A datagram that is answered, as it was when it was read. */
interface Question {
  readonly datagram: Datagram<Addr>;
  readonly peer: Addr;
  readonly size: number;
}

interface PeerState {
  bucket: Bucket | undefined;
  /** How many bytes may be sent to the peer. */
  credit: number;
}

/** The options as they were when they were read. */
interface ReadAnswerOptions {
  readonly answerLimit: Rate | undefined;
  readonly maxAmplification: number | undefined;
}

/**
 * Reads the options, once, and checks them.
 *
 * @throws {RangeError} An option is out of range.
 */
export function readAnswers(
  attempt: Attempt,
  { answerLimit, maxAmplification }: AnswerOptions,
): ReadAnswerOptions {
  if (
    maxAmplification !== undefined &&
    !(typeof maxAmplification === "number" && maxAmplification > 0)
  ) {
    throw outOfRange(
      attempt,
      "maxAmplification",
      "more than 0",
      maxAmplification,
    );
  }
  return {
    answerLimit: readRate(attempt, "answerLimit", answerLimit),
    maxAmplification,
  };
}

/** Decides which answers are sent, and counts the others. Its memory is bounded. */
export class AnswerLimits {
  /** Answers that were not sent, by reason. */
  readonly withheld: Record<"answerRate" | "amplification", number> = {
    answerRate: 0,
    amplification: 0,
  };
  readonly #peers: BoundedMap<PeerState>;
  readonly #factor: number;
  readonly #clock: Clock;
  // A datagram gives its credit once, however often it is answered.
  readonly #credited = new WeakSet<Datagram<Addr>>();

  /**
   * @param options From {@linkcode readAnswers}.
   * @param local Where the socket is bound.
   */
  constructor(
    { answerLimit, maxAmplification }: ReadAnswerOptions,
    local: Addr,
    clock: Clock,
  ) {
    const limit = limitOf(
      answerLimit ?? (isConnected(local) ? Infinity : ANSWER_LIMIT),
    );
    const isLocal = !("hostname" in local) || isLoopback(local.hostname);
    this.#factor = isLocal
      ? Infinity
      : maxAmplification ?? (isConnected(local) ? Infinity : MAX_AMPLIFICATION);
    this.#clock = clock;
    this.#peers = new BoundedMap(() => ({
      bucket: limit && new Bucket(limit, clock.now()),
      credit: 0,
    }));
  }

  /**
   * Returns whether an answer of that many bytes may be sent. If so, it is
   * counted as sent.
   */
  allows(question: Question, size: number): boolean {
    const { datagram, peer: from } = question;
    if (!("hostname" in from)) return true;
    const peer = this.#peers.get(`${from.hostname} ${from.port}`);
    if (this.#factor !== Infinity) {
      if (!this.#credited.has(datagram)) {
        this.#credited.add(datagram);
        peer.credit += question.size * this.#factor;
      }
      if (size > peer.credit) return this.#withhold("amplification");
    }
    if (peer.bucket?.take(this.#clock.now()) === false) {
      return this.#withhold("answerRate");
    }
    if (this.#factor !== Infinity) peer.credit -= size;
    return true;
  }

  #withhold(reason: "answerRate" | "amplification"): false {
    this.withheld[reason]++;
    return false;
  }
}

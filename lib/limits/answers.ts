import { type Addr, isConnected } from "../addr.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import { isLoopback } from "../address/host.ts";
import { BoundedMap, Bucket, checkRate, type Rate } from "./rate.ts";

/** How a bound socket limits what `answer` sends. */
export interface AnswerOptions {
  /**
   * How many answers each peer gets. Two servers that answer each other's
   * answers would else go on for ever (CVE-2024-2169); an answer that is
   * withheld ends it.
   * @default {1000 a second, 10,000 at once}
   */
  answerLimit?: Rate;
  /**
   * How many bytes of answers a peer gets for each byte that came from it, when
   * the socket is bound beyond loopback: a forged source must not make the
   * server flood a victim. 3 is the rule of QUIC (RFC 9000, section 8.1); a
   * higher one is for networks where no source can be forged. Over TCP, TLS and
   * QUIC none can: a connection is one with the peer's consent.
   * @default {3, and no limit where the peer is connected}
   */
  maxAmplification?: number;
}

const ANSWER_LIMIT: Rate = { perSecond: 1000, burst: 10_000 };
const MAX_AMPLIFICATION = 3;

interface PeerState {
  bucket: Bucket | undefined;
  /** Bytes that may go to it. */
  credit: number;
}

/** Decides which answers go out, and counts the others. Its memory is bounded. */
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
   * @param local Where the socket is bound.
   * @throws {RangeError} An option is out of range.
   */
  constructor(
    options: AnswerOptions,
    local: Addr,
    clock: Clock,
  ) {
    const {
      answerLimit = ANSWER_LIMIT,
      maxAmplification = isConnected(local) ? Infinity : MAX_AMPLIFICATION,
    } = options;
    if (!(maxAmplification > 0)) {
      throw new RangeError(
        `Cannot open a socket: maxAmplification must be more than 0: given ${maxAmplification}`,
      );
    }
    const rate = checkRate("answerLimit", answerLimit);
    const reachesOut = "hostname" in local && !isLoopback(local.hostname);
    this.#factor = reachesOut ? maxAmplification : Infinity;
    this.#clock = clock;
    this.#peers = new BoundedMap(() => ({
      bucket: rate && new Bucket(rate, clock.now()),
      credit: 0,
    }));
  }

  /** Whether an answer of that many bytes may go; if so, it is taken as sent. */
  allows(datagram: Datagram<Addr>, size: number): boolean {
    const { from } = datagram;
    if (!("hostname" in from)) return true;
    const peer = this.#peers.get(`${from.hostname} ${from.port}`);
    if (this.#factor !== Infinity) {
      if (!this.#credited.has(datagram)) {
        this.#credited.add(datagram);
        peer.credit += datagram.data.length * this.#factor;
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

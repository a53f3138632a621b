import type { Addr, NetAddr } from "../addr.ts";
import { anyPeerKey, manyAt } from "../address/peer.ts";
import {
  milliseconds,
  requireFunction,
  requireOptions,
  requireSignal,
  wholeNumber,
  wrongType,
} from "../check.ts";
import type { Clock } from "../clock.ts";
import { copyDatagram, type Datagram } from "../datagram.ts";
import type { Attempt } from "../errors.ts";
import { type Backoff, Waits } from "./backoff.ts";
import type { Inbox } from "./inbox.ts";
import { Kept } from "./kept.ts";
import type { Data } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { Questions } from "./questions.ts";
import { verdictOf } from "./request.ts";
import type { Target } from "./target.ts";
import type { Waiter } from "./waiter.ts";
import { onAbort } from "./waits.ts";

// How many replies wait for the loop; with the longest datagrams, 16 MiB.
const MAX_ASIDE = 256;
const MAX_REPLIES = 65_536;
const END = { value: undefined, done: true } as const;

/**
 * How {@linkcode DatagramSocket.gather} asks, and which replies it takes.
 *
 * @example
 * ```ts
 * import { bind, serve } from "@pli/datagram";
 *
 * await using one = serve("udp://127.0.0.1:0", () => "one");
 * await using two = serve("udp://127.0.0.1:0", () => "two");
 * await using socket = bind("udp://127.0.0.1:0");
 * const all = [one.addr, two.addr];
 * const options = { forMs: 1000, unique: "peer" } as const;
 * for await (const reply of socket.gather("who?", all, options)) {
 *   console.log(reply.text(), reply.from.port);
 * }
 * ```
 */
export interface GatherOptions<A extends Addr = NetAddr> {
  /**
   * Milliseconds in which replies are taken, from the first question on: 0 to
   * 2^31 - 1, or `Infinity`.
   * @default {1000}
   */
  forMs?: number | undefined;
  /**
   * `"peer"` takes one reply of each peer. Further ones go to the next `receive`.
   * @default {all replies}
   */
  unique?: "peer" | undefined;
  /**
   * Whether a datagram is a reply. It gets a copy, and may call anything.
   * @default {every datagram is}
   */
  match?: ((datagram: Datagram<A>) => boolean) | undefined;
  /** The most replies, from 1. @default {65536} */
  max?: number | undefined;
  /**
   * Whose datagrams are replies: those of the peers that were asked, or anyone's.
   * An IPv4 address that ends in 255 is taken for a broadcast address; for others
   * of subnets, give `"anyone"`.
   * @default {"anyone" if a group or a broadcast address was asked}
   */
  from?: "asked" | "anyone" | undefined;
  /**
   * Milliseconds after which the question is sent again, from 1, to all that have
   * not replied; a group is always asked again. @default {it is sent once}
   */
  resendMs?: number | undefined;
  /** How `resendMs` grows with each send. @default {all waits are equal} */
  backoff?: Backoff | undefined;
  /** When it aborts, `signal.reason` is thrown into the loop, unchanged. */
  signal?: AbortSignal | undefined;
}

/** What gathering needs of its socket. */
interface Gatherer<A extends Addr> {
  readonly inbox: Inbox<A>;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

/** What is asked, and whom. */
interface Question {
  readonly data: Data;
  readonly targets: readonly Target[];
}

interface Step<A extends Addr> {
  resolve(result: IteratorResult<Datagram<A>>): void;
  reject(reason: unknown): void;
}

/**
 * Asks, and iterates over the replies. It is the waiter that takes them, from its
 * first step to its end, however slow the loop is.
 */
export class Gathering<A extends Addr>
  implements AsyncIterableIterator<Datagram<A>>, Waiter<A> {
  readonly #inbox: Inbox<A>;
  readonly #clock: Clock;
  readonly #attempt: Attempt;
  readonly #questions: Questions;
  readonly #forMs: number | undefined;
  readonly #isUnique: boolean;
  readonly #match: ((datagram: Datagram<A>) => boolean) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #isFromAnyone: boolean;
  readonly #replies: Kept<A>;
  readonly #steps: Step<A>[] = [];
  // The peers that have replied.
  readonly #heard = new Set<string>();
  // How many more replies it takes.
  #left: number;
  #state: "new" | "open" | "over" = "new";
  #failure: { readonly reason: unknown } | undefined;
  #cancel: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(
    { inbox, outbox, clock }: Gatherer<A>,
    attempt: Attempt,
    { data, targets }: Question,
    options: GatherOptions<A> | undefined,
  ) {
    requireOptions(attempt, options);
    const { forMs = 1000, unique, match, max = MAX_REPLIES, from } = options ??
      {};
    const { resendMs, backoff, signal } = options ?? {};
    this.#forMs = milliseconds(attempt, "forMs", forMs);
    this.#left = wholeNumber(attempt, "max", max, 1);
    if (unique !== undefined && unique !== "peer") {
      throw wrongType(attempt, "unique", '"peer"', unique);
    }
    if (from !== undefined && from !== "asked" && from !== "anyone") {
      throw wrongType(attempt, "from", '"asked" or "anyone"', from);
    }
    if (match !== undefined) requireFunction(attempt, "match", match);
    requireSignal(attempt, signal);
    const ms = milliseconds(attempt, "resendMs", resendMs, 1);
    const waits = new Waits(attempt, ms ?? 1, backoff, outbox.random);
    if (backoff !== undefined && ms === undefined) {
      throw wrongType(attempt, "backoff", "left out without resendMs", backoff);
    }
    this.#inbox = inbox;
    this.#clock = clock;
    this.#attempt = attempt;
    this.#isUnique = unique === "peer";
    this.#match = match;
    this.#signal = signal;
    this.#isFromAnyone = from === undefined
      ? targets.some(({ to }) => isMany(to))
      : from === "anyone";
    this.#replies = new Kept(inbox.counts);
    this.#questions = new Questions(
      { outbox, clock, attempt, heard: this.#heard },
      data,
      targets,
      ms === undefined ? undefined : waits,
    );
  }

  next(): Promise<IteratorResult<Datagram<A>>> {
    return new Promise((resolve, reject) => {
      this.#steps.push({ resolve, reject });
      if (this.#state === "new") this.#start();
      this.#serve();
    });
  }

  return(): Promise<IteratorResult<Datagram<A>>> {
    this.#finish();
    this.#putBack();
    this.#failure = undefined;
    this.#serve();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  match(datagram: Datagram<A>): boolean {
    if (this.#left === 0 || this.#replies.length >= MAX_ASIDE) return false;
    const peer = anyPeerKey(datagram.from);
    if (!this.#isFromAnyone && !this.#questions.asked.has(peer)) return false;
    if (this.#isUnique && this.#heard.has(peer)) return false;
    return this.#match === undefined ||
      verdictOf(this.#match, copyDatagram(datagram), this.#attempt);
  }

  setAside(datagram: Datagram<A>): void {
    this.#left--;
    this.#heard.add(anyPeerKey(datagram.from));
    this.#replies.add(datagram);
    if (this.#left === 0 || this.#hasAll) this.#finish();
    this.#serve();
  }

  /** Never called: it sets aside what it takes. */
  resolve(): void {}

  reject(reason: unknown): void {
    this.#fail(reason);
  }

  end(): void {
    this.#finish();
    this.#serve();
  }

  stop(): void {
    this.#cancel?.();
    this.#unlisten?.();
    this.#questions.stop();
  }

  #start(): void {
    const signal = this.#signal;
    this.#state = "open";
    if (signal?.aborted) return this.#fail(signal.reason);
    this.#unlisten = signal &&
      onAbort(signal, (reason) => {
        this.#putBack();
        this.#fail(reason);
      });
    if (this.#forMs !== undefined) {
      this.#cancel = this.#clock.after(this.#forMs, () => this.end());
    }
    // The clock may have called at once.
    if (this.#state !== "open") return this.stop();
    if (!this.#inbox.wait(this)) return;
    this.#questions.ask().then(
      () => this.#hasAll && this.end(),
      (error) => this.#fail(error),
    );
  }

  /** Whether no peer is left whose reply it would take. */
  get #hasAll(): boolean {
    const { asked, isFinding } = this.#questions;
    return this.#isUnique && !this.#isFromAnyone && !isFinding &&
      this.#heard.size === asked.size;
  }

  /** Takes no more replies. Those that it has are still for the loop. */
  #finish(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    if (!this.#inbox.waiters.withdraw(this)) this.stop();
  }

  #fail(reason: unknown): void {
    if (this.#state === "over") return;
    this.#finish();
    this.#failure = { reason };
    this.#serve();
  }

  /** Settles the steps that can be settled. */
  #serve(): void {
    // What it had when the socket was closed is counted as that.
    if (this.#inbox.isClosed) this.#replies.clear();
    for (;;) {
      const [step] = this.#steps;
      if (step === undefined) return;
      const value = this.#replies.take();
      if (value !== undefined) {
        this.#inbox.takeAside();
        step.resolve({ value, done: false });
      } else if (this.#state !== "over") return;
      else if (this.#failure === undefined) step.resolve(END);
      else {
        const { reason } = this.#failure;
        this.#inbox.rests.inTurn(() => step.reject(reason));
        this.#failure = undefined;
      }
      this.#steps.shift();
    }
  }

  #putBack(): void {
    this.#inbox.putBack(this.#replies.takeAll() as Datagram<A>[]);
  }
}

/** Whether an address can be that of many peers. */
function isMany(address: Addr): boolean {
  if (!("hostname" in address)) return false;
  const { hostname } = address;
  return manyAt(hostname) !== undefined || /^\d.*\.255$/.test(hostname);
}

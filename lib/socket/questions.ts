import type { Clock } from "../clock.ts";
import type { Attempt } from "../errors.ts";
import type { Waits } from "./backoff.ts";
import type { Data } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import type { Target } from "./target.ts";

// How many sends are under way together.
const AT_ONCE = 256;

/** What became of one round of sends. */
interface Round {
  sent: number;
  /** The first failure, if there was one. */
  readonly failures: { readonly error: unknown }[];
}

/** What {@linkcode Questions} needs of its socket, and of who asks. */
export interface QuestionsOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly attempt: Attempt;
  /** The peers that have replied, and are not asked again. */
  readonly heard: ReadonlySet<string>;
}

/** One question to many, sent again to those that have not replied. */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #data: Data;
  readonly #waits: Waits | undefined;
  #targets: readonly Target[];
  #cancel: (() => void) | undefined;
  #isSending = false;
  #isStopped = false;

  constructor(
    options: QuestionsOptions,
    data: Data,
    targets: readonly Target[],
    waits: Waits | undefined,
  ) {
    this.#options = options;
    this.#data = data;
    this.#targets = targets;
    this.#waits = waits;
  }

  /** What distinguishes each of the peers, once their names are looked up. */
  get peers(): readonly string[] {
    return [...new Set(this.#targets.map(({ peer }) => peer))];
  }

  /**
   * Looks up the names. Those that are unknown are left out.
   *
   * @throws The first error, if nobody is left to be asked.
   */
  async find(): Promise<void> {
    const { attempt } = this.#options;
    const named = this.#targets.filter(({ isToBeFound }) => isToBeFound);
    if (named.length === 0) return;
    const failures = new Map<Target, unknown>();
    await Promise.all(
      named.map((target) =>
        target.find(attempt).catch((error) => failures.set(target, error))
      ),
    );
    this.#targets = this.#targets.filter((target) => !failures.has(target));
    if (this.#targets.length > 0) return;
    for (const error of failures.values()) throw error;
  }

  /**
   * Asks, and asks again until it is stopped.
   *
   * @throws The first error, if nobody could be asked at first.
   */
  async ask(): Promise<void> {
    this.#askLater();
    const { sent, failures: [first] } = await this.#send();
    if (first !== undefined && sent === 0) throw first.error;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #askLater(): void {
    if (this.#waits === undefined || this.#isStopped) return;
    const ms = this.#waits.next();
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#askLater();
      // One round of sends at a time, however slow the carrier is.
      if (!this.#isSending) this.#send();
    });
    if (this.#isStopped) this.#cancel();
  }

  async #send(): Promise<Round> {
    const { outbox, heard } = this.#options;
    const round: Round = { sent: 0, failures: [] };
    this.#isSending = true;
    for (
      let i = 0;
      i < this.#targets.length && !this.#isStopped;
      i += AT_ONCE
    ) {
      const some = this.#targets.slice(i, i + AT_ONCE)
        .filter(({ peer }) => !heard.has(peer));
      await Promise.all(some.map(async ({ to }) => {
        try {
          await outbox.send(this.#data, to);
          round.sent++;
        } catch (error) {
          if (round.failures.length === 0) round.failures.push({ error });
        }
      }));
    }
    this.#isSending = false;
    return round;
  }
}

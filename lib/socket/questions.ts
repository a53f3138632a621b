import type { Clock } from "../clock.ts";
import type { Attempt } from "../errors.ts";
import type { Waits } from "./backoff.ts";
import type { Data } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import type { Target } from "./target.ts";
import { dueTurn } from "../turns.ts";

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
  /** What distinguishes each of those that are asked. */
  readonly asked: Set<string> = new Set();
  readonly #options: QuestionsOptions;
  readonly #data: Data;
  readonly #waits: Waits | undefined;
  readonly #found: Target[];
  readonly #named: readonly Target[];
  #finding: number;
  #sent = 0;
  #failure: { readonly error: unknown } | undefined;
  #cancel: (() => void) | undefined;
  // Those to which a send has not ended.
  readonly #underWay = new Set<Target>();
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
    this.#waits = waits;
    this.#named = targets.filter(({ isToBeFound }) => isToBeFound);
    this.#found = targets.filter(({ isToBeFound }) => !isToBeFound);
    this.#finding = this.#named.length;
    for (const { peer } of this.#found) this.asked.add(peer);
  }

  /** Whether names are still looked up. */
  get isFinding(): boolean {
    return this.#finding > 0;
  }

  /**
   * Asks each address at once, and each name when it is looked up. Asks again
   * until it is stopped.
   *
   * @throws The first error, if nobody could be asked at first.
   */
  async ask(): Promise<void> {
    this.#askLater();
    await Promise.all([
      this.#sendAll(),
      ...this.#named.map((target) => this.#askNamed(target)),
    ]);
    if (this.#failure !== undefined && this.#sent === 0) {
      throw this.#failure.error;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #askNamed(target: Target): Promise<void> {
    try {
      await target.find(this.#options.attempt);
      this.asked.add(target.peer);
      this.#found.push(target);
    } catch (error) {
      this.#failure ??= { error };
      return;
    } finally {
      this.#finding--;
    }
    await this.#send(target);
  }

  #askLater(): void {
    if (this.#waits === undefined || this.#isStopped) return;
    const ms = this.#waits.next();
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#askLater();
      if (!this.#isSending) this.#sendAll();
    });
    if (this.#isStopped) this.#cancel();
  }

  /** Asks all. A peer to which a send hangs keeps no other from being asked. */
  async #sendAll(): Promise<void> {
    this.#isSending = true;
    const sends: Promise<void>[] = [];
    for (const target of [...this.#found]) {
      sends.push(this.#send(target));
      const turn = dueTurn(this.#options.clock);
      if (turn !== undefined) await turn;
    }
    this.#isSending = false;
    await Promise.all(sends);
  }

  async #send(target: Target): Promise<void> {
    const { outbox, heard } = this.#options;
    if (this.#isStopped || heard.has(target.peer)) return;
    if (this.#underWay.has(target)) return;
    this.#underWay.add(target);
    try {
      await outbox.send(this.#data, target.to);
      this.#sent++;
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#underWay.delete(target);
    }
  }
}

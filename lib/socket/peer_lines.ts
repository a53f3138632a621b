import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Clock } from "../clock.ts";
import { quickTurnIsDue, turned } from "../turns.ts";

// What may wait in one peer's line. A system's buffer holds 200 KiB.
const MAX_LINE_BYTES = 4 * 1024 * 1024;
// What a task costs beside its bytes, so that those without any are bounded too.
const OVERHEAD = 256;

/** What is done for a peer. */
export interface Task {
  readonly peer: Addr;
  /** How many bytes it holds while it waits. */
  readonly size: number;
  /** Does it. Must not reject. */
  run(): Promise<void>;
  /** Called instead, if the peer's line is full or was cleared. */
  drop(): void;
}

interface Line {
  running: number;
  readonly waiting: Task[];
  bytes: number;
}

/**
 * Runs tasks for peers, many at a time, so that no peer holds up the others. One
 * peer gets at most a quarter of the places; what exceeds that waits in a line of
 * its own. If that line is full, only this peer loses.
 */
export class PeerLines {
  readonly #places: number;
  readonly #share: number;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  #running = 0;
  #onEnd: (() => void)[] = [];

  /** @param places How many tasks run at a time. */
  constructor(places: number, clock: Clock) {
    this.#places = places;
    // With two places or one there is nothing to divide.
    this.#share = Math.max(Math.ceil(places / 4), Math.min(places, 2));
    this.#clock = clock;
  }

  /** Runs a task at once, or when it is its turn in the peer's line. */
  add(task: Task): void {
    const key = formatAddress(task.peer);
    const bytes = task.size + OVERHEAD;
    const line = this.#lines.get(key);
    if (line === undefined) {
      const first = { running: 0, waiting: [], bytes: 0 };
      this.#lines.set(key, first);
      this.#start(key, first, task);
    } else if (line.running < this.#share) this.#start(key, line, task);
    else if (line.bytes + bytes > MAX_LINE_BYTES) task.drop();
    else {
      line.bytes += bytes;
      line.waiting.push(task);
    }
  }

  /** Returns what to await before the next task, if all places are taken. */
  room(): Promise<void> | undefined {
    if (this.#running < this.#places) return undefined;
    return this.#until(() => this.#running < this.#places);
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#until(() => this.#running === 0);
  }

  /** Drops the tasks that wait. */
  clear(): void {
    for (const line of this.#lines.values()) {
      line.bytes = 0;
      for (const task of line.waiting.splice(0)) task.drop();
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((end) => this.#onEnd.push(end));
  }

  async #start(key: string, line: Line, task: Task): Promise<void> {
    line.running++;
    this.#running++;
    await task.run();
    if (line.waiting.length > 0 && !this.#clock.isVirtual && quickTurnIsDue()) {
      await turned();
    }
    line.running--;
    this.#running--;
    const next = line.waiting.shift();
    if (next !== undefined) {
      line.bytes -= next.size + OVERHEAD;
      this.#start(key, line, next);
    } else if (line.running === 0) this.#lines.delete(key);
    const listeners = this.#onEnd;
    if (listeners.length === 0) return;
    this.#onEnd = [];
    for (const end of listeners) end();
  }
}

/** Resolves with whether a promise settled within that time. */
export async function settles(
  promise: Promise<unknown>,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const cancel = clock.after(ms, () => late.resolve(false));
  const isSettled = await Promise.race([
    promise.then(() => true, () => true),
    late.promise,
  ]);
  cancel();
  return isSettled;
}

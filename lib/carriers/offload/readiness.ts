import { performance } from "../../platform.ts";
import { round, turned, turnIsDue } from "../../turns.ts";
import { POLLFD, TIMESPEC } from "./layout.ts";
import { type Libc, POLLIN } from "./libc.ts";
import type { Poller } from "./poller.ts";
import type { Watch } from "./watch.ts";

// Sleeping and being woken takes longer than many a reply.
const SPIN_MS = 0.02;
// How long the program itself sleeps before a thread does so for it: a prompt
// reply arrives within that time, and no thread has to be woken.
const NAP_NS = 200_000;
// If a thread waited no longer than this, a nap is tried the next time.
const SOON_MS = 1;
const MAX_NAPS = 8;

const NAP = new Uint8Array(TIMESPEC.size);
new DataView(NAP.buffer).setUint32(TIMESPEC.nsec, NAP_NS, true);

/** Waits until a socket can be read or written. */
export class Readiness {
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #watch: Watch;
  readonly #napFds = new Uint8Array(POLLFD.size);
  #naps = 0;
  #isClosed = false;
  #look: () => boolean = () => false;
  // All sends that wait for room wait for the same.
  #room: Promise<void> | undefined;

  constructor(poller: Poller, watch: Watch) {
    this.#libc = poller.libc;
    this.#poller = poller;
    this.#watch = watch;
    const view = new DataView(this.#napFds.buffer);
    view.setInt32(POLLFD.fd, watch.fd, true);
    view.setInt16(POLLFD.events, POLLIN, true);
  }

  /** Lets the event loop turn, as often as that is due before more is done. */
  async turns(): Promise<void> {
    while (!this.#isClosed && turnIsDue()) await turned();
  }

  /**
   * If replies have arrived at once lately: tries again and again for a moment,
   * then sleeps for another. Not while other sockets wait: they would wait for
   * that, too.
   *
   * @param take Takes what has arrived; `undefined` if that is nothing.
   * @returns What it took.
   */
  linger<T>(take: () => T | undefined): T | undefined {
    if (this.#naps === 0 || !this.#watch.isReferenced || !this.#poller.isIdle) {
      return undefined;
    }
    const until = performance.now() + SPIN_MS;
    do {
      const taken = take();
      if (taken !== undefined) return taken;
      // Who is to reply may wait for this processor.
      this.#libc.sched_yield();
    } while (performance.now() < until);
    const isReady = this.#libc.ppoll(this.#napFds, 1n, NAP, null) > 0;
    this.#naps = isReady ? MAX_NAPS : this.#naps - 1;
    return isReady ? take() : undefined;
  }

  /**
   * Waits until there is something to take. One call at a time.
   *
   * @param take Takes what has arrived; `undefined` if that is nothing. What it
   * throws ends the wait.
   * @returns What it took; `undefined` if the socket was closed.
   */
  async readable<T>(take: () => T | undefined): Promise<T | undefined> {
    const found = Promise.withResolvers<T | undefined>();
    let isSettled = false;
    this.#look = () => {
      if (isSettled) return true;
      try {
        const taken = this.#isClosed ? undefined : take();
        isSettled = this.#isClosed || taken !== undefined;
        if (isSettled) found.resolve(taken);
      } catch (error) {
        isSettled = true;
        found.reject(error);
      }
      if (isSettled) this.#await(undefined);
      return isSettled;
    };
    this.#search(this.#look);
    return await found.promise;
  }

  /** Makes a waiting {@linkcode Readiness.readable} try at once. */
  lookNow(): void {
    this.#look();
  }

  async #search(look: () => boolean): Promise<void> {
    const isDue = turnIsDue();
    // Other code that is ready to run now may be what sends.
    if (!isDue) await round();
    await this.turns();
    if (look()) return;
    // With a turn due, the caller has not lingered.
    if (isDue && this.linger(() => look() || undefined)) return;
    const start = performance.now();
    const reader = () => {
      if (!look()) this.#await(reader);
      else if (performance.now() - start < SOON_MS) this.#naps ||= 1;
    };
    this.#await(reader);
  }

  #await(reader: (() => void) | undefined): void {
    if (this.#watch.reader === reader || this.#isClosed) return;
    this.#poller.change(this.#watch, { reader });
  }

  /** Resolves when there may be room to send, or when the socket is closed. */
  writable(): Promise<void> {
    return this.#room ??= new Promise((resolve) => {
      const writer = () => {
        this.#room = undefined;
        resolve();
      };
      this.#poller.change(this.#watch, { writer });
    });
  }

  ref(): void {
    this.#poller.change(this.#watch, { isReferenced: true });
  }

  /** A timer replaces the thread, which would keep the program running. */
  unref(): void {
    this.#poller.change(this.#watch, { isReferenced: false });
  }

  /** Ends every wait. The descriptor may be closed then. */
  close(): void {
    this.#isClosed = true;
    const { writer } = this.#watch;
    this.#poller.remove(this.#watch);
    this.#look();
    writer?.();
  }
}

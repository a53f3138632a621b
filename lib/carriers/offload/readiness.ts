import { POLLFD, TIMESPEC } from "./layout.ts";
import { type Libc, POLLIN, POLLOUT, systemError } from "./libc.ts";

// Sleeping and being woken takes longer than many a reply.
const SPIN_MS = 0.02;
// How long the program itself sleeps before a thread does so for it: a prompt
// reply arrives within that time, and no thread has to be woken.
const NAP_NS = 200_000;
// If a thread waited no longer than this, a nap is tried the next time.
const SOON_MS = 1;
const MAX_NAPS = 8;
// How often a thread that waits for room to send checks whether it was closed:
// nothing wakes it.
const SEND_POLL_MS = 100;
// How often an unreferenced socket is read.
const UNREFERENCED_MS = 25;
// Runs that are handled before timers and other sockets get a turn: a
// millisecond or two.
const RUNS_A_TURN = 256;

const NAP = new Uint8Array(TIMESPEC.size);
new DataView(NAP.buffer).setUint32(TIMESPEC.nsec, NAP_NS, true);

/**
 * Waits until a socket can be read or written. A thread of Deno's pool sleeps in
 * `poll`, which costs no CPU; an `eventfd` wakes it.
 *
 * The descriptors are closed only when no thread polls them any more: otherwise
 * their numbers could be given to other files, and the thread would wait for
 * those. `close` wakes the thread; the last one to finish closes them.
 */
export class Readiness {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #wakeFd: number;
  readonly #napFds: Uint8Array<ArrayBuffer>;
  #naps = 0;
  #runs = 0;
  #polls = 0;
  #closed = false;
  #referenced = true;
  #look: () => boolean = () => false;
  #resume: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #released = Promise.withResolvers<void>();

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#wakeFd = libc.eventfd();
    if (this.#wakeFd < 0) throw systemError(libc, libc.errno());
    this.#napFds = this.#pollFds(POLLIN);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the descriptors are closed. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Adds to the runs that were handled since the last turn. */
  worked(runs: number): void {
    this.#runs += runs;
  }

  /** Whether to yield to the event loop, so that a flood does not starve it. */
  get turnIsDue(): boolean {
    return this.#runs >= RUNS_A_TURN;
  }

  /**
   * Gives timers and other sockets a turn. While the event loop has other work,
   * it polls its sockets only once in 61 rounds (tokio's event interval), so
   * `setImmediate` alone would starve them. Here it has none until a thread
   * replies.
   */
  async turn(): Promise<void> {
    this.#runs = 0;
    const fds = this.#pollFds(POLLIN);
    await this.#poll(fds, 1n, 0);
  }

  /**
   * If replies have arrived at once lately: tries again and again for a moment,
   * then sleeps for another.
   *
   * @param take Takes what has arrived; `undefined` if that is nothing.
   * @returns What it took.
   */
  linger<T>(take: () => T | undefined): T | undefined {
    if (this.#naps === 0 || !this.#referenced || this.#closed) return undefined;
    const until = performance.now() + SPIN_MS;
    do {
      const taken = take();
      if (taken !== undefined) return taken;
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
    let settled = false;
    this.#look = () => {
      if (settled) return true;
      try {
        const taken = this.#closed ? undefined : take();
        settled = this.#closed || taken !== undefined;
        if (settled) found.resolve(taken);
      } catch (error) {
        settled = true;
        found.reject(error);
      }
      return settled;
    };
    this.#search(this.#look);
    return await found.promise;
  }

  /** Makes a waiting {@linkcode Readiness.readable} try at once. */
  lookNow(): void {
    if (this.#look()) this.wake();
  }

  async #search(look: () => boolean): Promise<void> {
    if (this.turnIsDue) {
      await this.turn();
      if (look()) return;
    }
    // Other code that is ready to run now may be what sends.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    while (!look()) {
      const start = performance.now();
      if (!this.#referenced) await this.#pause();
      else if (await this.#pollIn() && performance.now() - start < SOON_MS) {
        this.#naps ||= 1;
      }
    }
  }

  /** Resolves when there may be room to send, or when the socket is closed. */
  async writable(): Promise<void> {
    const fds = this.#pollFds(POLLOUT);
    while (!this.#closed && await this.#poll(fds, 1n, SEND_POLL_MS) === 0);
  }

  ref(): void {
    if (this.#referenced) return;
    this.#referenced = true;
    this.#resume?.();
  }

  /** A thread in `poll` would keep the program running, so a timer replaces it. */
  unref(): void {
    if (!this.#referenced) return;
    this.#referenced = false;
    this.wake();
  }

  /** Makes a thread in `poll` return. */
  wake(): void {
    if (this.#polls > 0) this.#write();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resume?.();
    if (this.#polls === 0) this.#release();
    else this.#write();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = () => {
        clearTimeout(this.#timer);
        this.#resume = undefined;
        resolve();
      };
      this.#timer = setTimeout(this.#resume, UNREFERENCED_MS);
      Deno.unrefTimer(this.#timer as unknown as number);
    });
  }

  async #pollIn(): Promise<boolean> {
    const fds = this.#pollFds(POLLIN);
    await this.#poll(fds, 2n, -1);
    const woken = fds[POLLFD.size + POLLFD.revents] !== 0;
    if (woken && !this.#closed) {
      this.#libc.read(this.#wakeFd, new Uint8Array(8), 8n);
    }
    return fds[POLLFD.revents] !== 0;
  }

  /** Keeps the buffer alive until the thread has returned. */
  async #poll(
    fds: Uint8Array<ArrayBuffer>,
    count: bigint,
    timeoutMs: number,
  ): Promise<number> {
    this.#polls++;
    try {
      const ready = await this.#libc.poll(fds, count, timeoutMs);
      // Used here, so that the garbage collector cannot have taken it before.
      return fds.length === 0 ? 0 : ready;
    } finally {
      this.#polls--;
      if (this.#closed && this.#polls === 0) this.#release();
    }
  }

  #pollFds(events: number): Uint8Array<ArrayBuffer> {
    const view = new DataView(new ArrayBuffer(2 * POLLFD.size));
    view.setInt32(POLLFD.fd, this.#fd, true);
    view.setInt16(POLLFD.events, events, true);
    view.setInt32(POLLFD.size + POLLFD.fd, this.#wakeFd, true);
    view.setInt16(POLLFD.size + POLLFD.events, POLLIN, true);
    return new Uint8Array(view.buffer);
  }

  #write(): void {
    this.#libc.write(
      this.#wakeFd,
      new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]),
      8n,
    );
  }

  #release(): void {
    this.#libc.close(this.#fd);
    this.#libc.close(this.#wakeFd);
    this.#libc.unload();
    this.#released.resolve();
  }
}

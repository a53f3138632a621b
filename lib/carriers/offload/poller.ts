import type { NetAddr } from "../../addr.ts";
import { clearTimeout, setTimeout } from "../../platform.ts";
import { round } from "../../turns.ts";
import { Epoll, type Ready } from "./epoll.ts";
import { EPOLLIN, EPOLLOUT, type Libc } from "./libc.ts";
import { Watch } from "./watch.ts";

// If a thread is not back after this, Deno's pool had none: files, names and
// other libraries use it too.
const LATE_MS = 1200;
// How often sockets are looked at without a thread: if there is none, or if only
// unreferenced ones wait.
const TICK_MS = 25;

/**
 * Waits for all offload sockets of a thread (the program's or a worker's) at
 * once, so that they need a single thread of Deno's pool, which sleeps.
 */
export class Poller {
  readonly libc: Libc;
  readonly #epoll: Epoll;
  readonly #watches = new Map<number, Watch>();
  // How many sockets wait, and how many of them keep the program running.
  #waiting = 0;
  #holding = 0;
  #ready: Ready[] = [];
  #isServing = false;
  #isRunning = false;
  #isInThread = false;
  // How often a thread was asked to wait.
  #asked = 0;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #guard: ReturnType<typeof setTimeout> | undefined;
  #ended: PromiseWithResolvers<void> | undefined;

  /** @param place Where Deno may bind for a moment. */
  constructor(libc: Libc, place: NetAddr) {
    this.libc = libc;
    this.#epoll = new Epoll(libc, place);
  }

  /** Whether no socket waits. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  add(fd: number): Watch {
    this.#epoll.add(fd);
    const watch = new Watch(fd);
    this.#watches.set(fd, watch);
    return watch;
  }

  /** Changes what a socket waits for, or whether it keeps the program running. */
  change(
    watch: Watch,
    change: Partial<Pick<Watch, "reader" | "writer" | "isReferenced">>,
  ): void {
    this.#waiting -= Number(watch.waits);
    this.#holding -= Number(watch.holds);
    Object.assign(watch, change);
    this.#waiting += Number(watch.waits);
    this.#holding += Number(watch.holds);
    if (watch.waits) {
      const events = (watch.reader === undefined ? 0 : EPOLLIN) |
        (watch.writer === undefined ? 0 : EPOLLOUT);
      this.#epoll.arm(watch.fd, events);
    }
    this.#settle();
  }

  /** Forgets a socket, whose descriptor may be closed then. */
  remove(watch: Watch): void {
    this.change(watch, { reader: undefined, writer: undefined });
    this.#watches.delete(watch.fd);
    this.#ready = this.#ready.filter(([fd]) => fd !== watch.fd);
  }

  /** Closes everything. @returns When that is done: a thread returns first. */
  end(): Promise<void> {
    this.#ended = Promise.withResolvers();
    if (this.#isInThread) this.#epoll.wake();
    if (!this.#isRunning) this.#close();
    return this.#ended.promise;
  }

  /** Waits as is needed now: in a thread, by a timer, or not at all. */
  #settle(): void {
    if (this.#holding > 0) this.#run();
    else if (this.#isInThread) this.#epoll.wake();
    if (this.#isRunning || this.#waiting === 0) {
      clearTimeout(this.#tick);
      this.#tick = undefined;
    } else this.#tick ??= unreferenced(this.#lookWithout, TICK_MS);
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#ended === undefined && this.#holding > 0) {
      this.#isInThread = true;
      this.#asked++;
      this.#guard ??= this.#expect(LATE_MS);
      const ready = await this.#epoll.wait();
      this.#isInThread = false;
      this.#ready.push(...ready);
      await this.#serve();
    }
    this.#isRunning = false;
    if (this.#ended === undefined) this.#settle();
    else this.#close();
  }

  readonly #lookWithout = async (): Promise<void> => {
    this.#tick = undefined;
    this.#ready.push(...this.#epoll.look());
    await this.#serve();
    if (this.#ended === undefined) this.#settle();
  };

  /** Looks in place of a thread that is late. */
  #expect(ms: number): ReturnType<typeof setTimeout> {
    const asked = this.#asked;
    return unreferenced(async () => {
      const isLate = this.#isInThread && this.#asked === asked;
      if (isLate) {
        this.#ready.push(...this.#epoll.look());
        await this.#serve();
      }
      this.#guard = this.#isInThread
        ? this.#expect(isLate ? TICK_MS : LATE_MS)
        : undefined;
    }, ms);
  }

  /** Calls those that wait, one per turn: each handles what it gets at once. */
  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    for (let next; (next = this.#ready.shift()) !== undefined;) {
      const [fd, events] = next;
      const watch = this.#watches.get(fd);
      if (watch !== undefined) this.#call(watch, events);
      if (this.#ready.length > 0) await round();
    }
    this.#isServing = false;
  }

  #call(watch: Watch, events: number): void {
    // An error is for both.
    const reader = events & ~EPOLLOUT ? watch.reader : undefined;
    const writer = events & ~EPOLLIN ? watch.writer : undefined;
    this.change(watch, {
      ...(reader !== undefined && { reader: undefined }),
      ...(writer !== undefined && { writer: undefined }),
    });
    reader?.();
    writer?.();
  }

  #close(): void {
    clearTimeout(this.#tick);
    clearTimeout(this.#guard);
    this.#epoll.close();
    this.libc.unload();
    this.#ended?.resolve();
  }
}

/** Calls back later, unless the program has ended by then. */
function unreferenced(
  callback: () => void,
  ms: number,
): ReturnType<typeof setTimeout> {
  const timer = setTimeout(callback, ms);
  Deno.unrefTimer(timer as unknown as number);
  return timer;
}

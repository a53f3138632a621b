import type { NetAddr } from "../../addr.ts";
import { EPOLL_EVENT, POLLFD, TIMESPEC } from "./layout.ts";
import {
  checked,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  type Libc,
  O_CLOEXEC,
  POLLIN,
} from "./libc.ts";
import { own, type Owned } from "./owned.ts";
import { Turns } from "./turns.ts";

// The longest stay in a thread. A worker that is terminated leaves its thread
// there for that long, but none of its sockets.
const ROUND_MS = 1000;
// How often sockets are looked at if only unreferenced ones wait.
const UNREFERENCED_MS = 25;
const MAX_EVENTS = 64;
// How long a thread sleeps for a turn, to which the system adds some 50 µs: long
// enough for the event loop to find that it has no work.
const TURN_NS = 10_000;
// The parts of the memory that threads use.
const FDS = MAX_EVENTS * EPOLL_EVENT.size;
const TIME = FDS + POLLFD.size;
const SIZE = TIME + TIMESPEC.size;
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** A socket that a poller watches. */
export class Watch {
  readonly fd: number;
  /** Called when there may be something to read; set while that is awaited. */
  reader: (() => void) | undefined;
  /** Called when there may be room to send; set while that is awaited. */
  writer: (() => void) | undefined;
  /** Whether waiting for something to read keeps the program running. */
  isReferenced = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  get waits(): boolean {
    return this.reader !== undefined || this.writer !== undefined;
  }

  /** A send that waits always keeps the program running. */
  get holds(): boolean {
    return this.writer !== undefined ||
      this.reader !== undefined && this.isReferenced;
  }
}

/**
 * Waits for all offload sockets of a thread (the program's or a worker's) at
 * once: one thread of Deno's pool sleeps in `epoll_wait`, which costs no CPU. An
 * `eventfd` wakes it. `epoll` and not `poll`, because a thread in `poll` would
 * hold the sockets open after they were closed.
 */
export class Poller {
  readonly libc: Libc;
  readonly turns = new Turns();
  readonly #epoll: Owned;
  readonly #alarm: Owned;
  // Memory of libc: a thread may write to it after the end of its worker.
  readonly #memory: Deno.PointerObject;
  readonly #view: DataView;
  readonly #event = new DataView(new ArrayBuffer(EPOLL_EVENT.size));
  readonly #eventBytes = new Uint8Array(this.#event.buffer);
  readonly #watches = new Map<number, Watch>();
  // Those that wait, and how many of them keep the program running.
  #waiting = 0;
  #holding = 0;
  #ready: [watch: Watch, events: number][] = [];
  #turn: PromiseWithResolvers<void> | undefined;
  #running = false;
  #inThread = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended: PromiseWithResolvers<void> | undefined;

  /** @param place Where Deno may bind for a moment. */
  constructor(libc: Libc, place: NetAddr) {
    this.libc = libc;
    using stack = new DisposableStack();
    const keep = (owned: Owned) => {
      stack.defer(owned.close);
      return owned;
    };
    const epoll = checked(libc, libc.epoll_create1(O_CLOEXEC));
    this.#epoll = keep(own(libc, epoll, place));
    this.#alarm = keep(own(libc, checked(libc, libc.eventfd()), place));
    const memory = libc.malloc(BigInt(SIZE));
    if (memory === null) throw new Error("out of memory");
    stack.defer(() => libc.free(memory));
    this.#memory = memory;
    this.#view = new DataView(
      Deno.UnsafePointerView.getArrayBuffer(memory, SIZE),
    );
    this.#view.setInt32(FDS + POLLFD.fd, this.#epoll.fd, true);
    this.#view.setUint32(FDS + POLLFD.events, POLLIN, true);
    this.#view.setBigUint64(TIME + TIMESPEC.sec, 0n, true);
    this.#view.setBigUint64(TIME + TIMESPEC.nsec, BigInt(TURN_NS), true);
    this.#control(EPOLL_CTL_ADD, this.#alarm.fd, EPOLLIN);
    stack.move();
  }

  /** Whether no socket waits. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  add(fd: number): Watch {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLONESHOT);
    const watch = new Watch(fd);
    this.#watches.set(fd, watch);
    return watch;
  }

  /** Changes what a socket waits for, or whether it keeps the program running. */
  change(watch: Watch, change: Partial<Watch>): void {
    this.#waiting -= Number(watch.waits);
    this.#holding -= Number(watch.holds);
    Object.assign(watch, change);
    this.#waiting += Number(watch.waits);
    this.#holding += Number(watch.holds);
    if (watch.waits) this.#arm(watch);
    this.#settle();
  }

  /** Forgets a socket, whose descriptor may be closed then. */
  remove(watch: Watch): void {
    this.change(watch, { reader: undefined, writer: undefined });
    this.#watches.delete(watch.fd);
    this.#ready = this.#ready.filter(([ready]) => ready !== watch);
  }

  /**
   * Lets the event loop turn. `setImmediate` would not be enough, since it is
   * work for the event loop. Here it has none until a thread has slept.
   */
  turn(): Promise<void> {
    if (this.#ended !== undefined) return this.#ended.promise;
    this.#turn ??= Promise.withResolvers();
    this.#wake();
    this.#settle();
    return this.#turn.promise;
  }

  /** Closes everything. @returns When that is done: a thread returns first. */
  end(): Promise<void> {
    this.#ended = Promise.withResolvers();
    this.#wake();
    if (!this.#running) this.#close();
    return this.#ended.promise;
  }

  #arm(watch: Watch): void {
    const events = (watch.reader === undefined ? 0 : EPOLLIN) |
      (watch.writer === undefined ? 0 : EPOLLOUT);
    // Once: a socket that nobody reads would be ready all the time.
    this.#control(EPOLL_CTL_MOD, watch.fd, events | EPOLLONESHOT);
  }

  #control(operation: number, fd: number, events: number): void {
    this.#event.setUint32(EPOLL_EVENT.events, events, true);
    this.#event.setInt32(EPOLL_EVENT.data, fd, true);
    const { fd: epoll } = this.#epoll;
    checked(
      this.libc,
      this.libc.epoll_ctl(epoll, operation, fd, this.#eventBytes),
    );
  }

  /** Waits as is needed now: in a thread, by a timer, or not at all. */
  #settle(): void {
    if (this.#holding > 0 || this.#turn !== undefined) this.#run();
    else if (this.#inThread) this.#wake();
    const isTimed = this.#waiting > 0 && !this.#running;
    if (isTimed && this.#timer === undefined) {
      this.#timer = setTimeout(this.#tick, UNREFERENCED_MS);
      Deno.unrefTimer(this.#timer as unknown as number);
    } else if (!isTimed) this.#stopTimer();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#ended === undefined) {
      const isBusy = this.#turn !== undefined || this.#ready.length > 0;
      if (!isBusy && this.#holding === 0) break;
      this.#inThread = true;
      if (isBusy) await this.#pause();
      else await this.#wait();
      this.#inThread = false;
      if (!this.turns.areDue()) {
        this.#turn?.resolve();
        this.#turn = undefined;
      }
      await this.#serve();
    }
    this.#running = false;
    if (this.#ended === undefined) this.#settle();
    else this.#close();
  }

  /** Sleeps in a thread until a socket is ready. */
  async #wait(): Promise<void> {
    this.#collect(
      await this.libc.epoll_wait_in_thread(
        this.#epoll.fd,
        this.#memory,
        MAX_EVENTS,
        ROUND_MS,
      ),
    );
  }

  /** Sleeps in a thread for a moment, so that the event loop turns. */
  async #pause(): Promise<void> {
    const at = (offset: number) =>
      Deno.UnsafePointer.offset(this.#memory, offset);
    await this.libc.ppoll_in_thread(at(FDS), 1n, at(TIME), null);
    this.#look();
  }

  #look(): void {
    this.#collect(
      this.libc.epoll_wait(this.#epoll.fd, this.#memory, MAX_EVENTS, 0),
    );
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.#look();
    // What is ready is served, and then waited for as is needed.
    this.#serve().then(() => {
      if (this.#ended === undefined) this.#settle();
    });
  };

  #collect(count: number): void {
    for (let i = 0; i < count; i++) {
      const at = i * EPOLL_EVENT.size;
      const fd = this.#view.getInt32(at + EPOLL_EVENT.data, true);
      if (fd === this.#alarm.fd) this.libc.read(fd, new Uint8Array(8), 8n);
      const watch = this.#watches.get(fd);
      if (watch === undefined) continue;
      const events = this.#view.getUint32(at + EPOLL_EVENT.events, true);
      this.#ready.push([watch, events]);
    }
  }

  /** Calls what waits, one after another: each works off what it was given. */
  async #serve(): Promise<void> {
    while (this.#ready.length > 0 && !this.turns.areDue()) {
      const [watch, events] = this.#ready.shift()!;
      const { reader, writer } = watch;
      // An error is both.
      const change: { reader?: undefined; writer?: undefined } = {};
      if (events & ~EPOLLOUT) change.reader = undefined;
      if (events & ~EPOLLIN) change.writer = undefined;
      this.change(watch, change);
      if ("reader" in change) reader?.();
      if ("writer" in change) writer?.();
      if (this.#ready.length > 0) await immediate();
    }
  }

  #wake(): void {
    if (this.#inThread) this.libc.write(this.#alarm.fd, ONE, 8n);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #close(): void {
    this.#stopTimer();
    this.turns.stop();
    this.#turn?.resolve();
    this.#epoll.close();
    this.#alarm.close();
    this.libc.free(this.#memory);
    this.libc.unload();
    this.#ended?.resolve();
  }
}

function immediate(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

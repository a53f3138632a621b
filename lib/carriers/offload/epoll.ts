import type { NetAddr } from "../../addr.ts";
import { EPOLL_EVENT } from "./layout.ts";
import {
  checked,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLIN,
  EPOLLONESHOT,
  type Libc,
  O_CLOEXEC,
} from "./libc.ts";
import { own, type Owned } from "./owned.ts";

// The longest stay in a thread. A worker that is terminated leaves its thread
// there for that long, but none of its sockets.
const WAIT_MS = 1000;
const MAX_EVENTS = 64;
const EVENTS_SIZE = MAX_EVENTS * EPOLL_EVENT.size;
// Shared by all calls: `epoll_ctl` returns before the next one is made.
const EVENT_BYTES = new Uint8Array(EPOLL_EVENT.size);
const EVENT = new DataView(EVENT_BYTES.buffer);
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** A descriptor that is ready, and for what: EPOLLIN, EPOLLOUT, EPOLLERR. */
export type Ready = readonly [fd: number, events: number];

/**
 * Waits for many descriptors at once: by `epoll`, and not by `poll`, in which a
 * thread would hold sockets open after they were closed. An `eventfd` wakes the
 * thread.
 */
export class Epoll {
  readonly #libc: Libc;
  readonly #epoll: Owned;
  readonly #alarm: Owned;
  // Memory of libc, as a thread may write to it after the end of its worker.
  readonly #memory: Deno.PointerObject;
  readonly #view: DataView;
  // For this thread.
  readonly #events = new Uint8Array(EVENTS_SIZE);
  readonly #eventsView = new DataView(this.#events.buffer);

  /** @param place Where Deno may bind for a moment. */
  constructor(libc: Libc, place: NetAddr) {
    this.#libc = libc;
    using stack = new DisposableStack();
    const keep = (fd: number) => {
      const owned = own(libc, checked(libc, fd), place);
      stack.defer(owned.close);
      return owned;
    };
    this.#epoll = keep(libc.epoll_create1(O_CLOEXEC));
    this.#alarm = keep(libc.eventfd());
    this.#control(EPOLL_CTL_ADD, this.#alarm.fd, EPOLLIN);
    const memory = libc.malloc(BigInt(EVENTS_SIZE));
    if (memory === null) throw new Error("out of memory");
    this.#memory = memory;
    this.#view = new DataView(
      Deno.UnsafePointerView.getArrayBuffer(memory, EVENTS_SIZE),
    );
    stack.move();
  }

  /** Adds a descriptor. It is removed when it is closed. */
  add(fd: number): void {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLONESHOT);
  }

  /**
   * Makes a descriptor ready for events, once: a socket that nobody reads would
   * be ready all the time.
   */
  arm(fd: number, events: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events | EPOLLONESHOT);
  }

  /** Sleeps in a thread until a descriptor is ready, at most for a second. */
  async wait(): Promise<Ready[]> {
    const count = await this.#libc.epoll_wait_in_thread(
      this.#epoll.fd,
      this.#memory,
      MAX_EVENTS,
      WAIT_MS,
    );
    return this.#read(this.#view, count);
  }

  /** Returns what is ready now. */
  look(): Ready[] {
    const count = this.#libc.epoll_wait(
      this.#epoll.fd,
      this.#events,
      MAX_EVENTS,
      0,
    );
    return this.#read(this.#eventsView, count);
  }

  /** Wakes the thread. */
  wake(): void {
    this.#libc.write(this.#alarm.fd, ONE, 8n);
  }

  /** Closes it. No thread may be waiting. */
  close(): void {
    this.#epoll.close();
    this.#alarm.close();
    this.#libc.free(this.#memory);
  }

  #control(operation: number, fd: number, events: number): void {
    EVENT.setUint32(EPOLL_EVENT.events, events, true);
    EVENT.setInt32(EPOLL_EVENT.data, fd, true);
    const { fd: epoll } = this.#epoll;
    checked(
      this.#libc,
      this.#libc.epoll_ctl(epoll, operation, fd, EVENT_BYTES),
    );
  }

  #read(view: DataView, count: number): Ready[] {
    const ready: Ready[] = [];
    for (let i = 0; i < count; i++) {
      const at = i * EPOLL_EVENT.size;
      const fd = view.getInt32(at + EPOLL_EVENT.data, true);
      const events = view.getUint32(at + EPOLL_EVENT.events, true);
      if (fd !== this.#alarm.fd) ready.push([fd, events]);
      else this.#libc.read(fd, new Uint8Array(8), 8n);
    }
    return ready;
  }
}

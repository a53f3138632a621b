import { copyAddr, type NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { fill } from "../fill.ts";

// Of all peers together, and of one, so that a flooding peer leaves room for the
// others.
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BYTES_OF_ONE = 1024 * 1024;
// What a datagram costs besides its bytes, so that empty ones are bounded too.
const OVERHEAD = 128;

/** A datagram, and the peer that sent it. */
export type Received = [Uint8Array<ArrayBuffer>, NetAddr];

/** What a carrier lost of what arrived. */
export interface ArrivalDrops {
  /** Datagrams that did not fit. */
  queueFull: number;
  /** Datagrams that were never received. */
  closed: number;
}

/** The datagrams of one peer that wait to be received. */
export class Share {
  /** The peer. */
  from: NetAddr;
  /** In bytes, with the overhead of each datagram. */
  held = 0;
  /** Whether no more can be read from the peer. */
  isOver = false;
  /** Whether its datagrams are not delivered for now. */
  isHeldBack = false;
  /** Whether it stands in the order of delivery. */
  isQueued = false;
  readonly #waiting: Uint8Array[] = [];
  #next = 0;

  constructor(from: NetAddr) {
    this.from = from;
  }

  /** How many datagrams wait. */
  get length(): number {
    return this.#waiting.length - this.#next;
  }

  /** Adds a datagram. */
  add(data: Uint8Array): void {
    this.held += data.length + OVERHEAD;
    this.#waiting.push(data);
  }

  /** Removes the first. `shift` would move all the others each time. */
  take(): Uint8Array | undefined {
    const first = this.#waiting[this.#next];
    if (first === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#waiting.length || this.#next >= 1024) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
    this.held -= first.length + OVERHEAD;
    return first;
  }
}

/**
 * The datagrams of all peers of a carrier that wait to be received, bounded in
 * bytes. Those of each peer stay in the order of their arrival; peers that have
 * sent something are served in turn, one datagram at a time.
 */
export class Arrivals {
  readonly drops: ArrivalDrops = { queueFull: 0, closed: 0 };
  // Peers whose datagrams wait, the next one first.
  #order: Share[] = [];
  readonly #shares = new Set<Share>();
  #held = 0;
  #receiver:
    | {
      buffer: Uint8Array<ArrayBuffer> | undefined;
      settle: PromiseWithResolvers<Received>;
    }
    | undefined;
  #onRoom: PromiseWithResolvers<void> | undefined;
  #ended: (() => Error) | undefined;

  /**
   * Adds a datagram, or counts it as dropped if it does not fit.
   *
   * @returns Whether it was added.
   */
  push(share: Share, data: Uint8Array): boolean {
    if (this.isOver) {
      this.drops.closed++;
      return false;
    }
    if (!this.#fits(share, data.length)) {
      this.drops.queueFull++;
      return false;
    }
    share.add(data);
    this.#held += data.length + OVERHEAD;
    this.#shares.add(share);
    this.#enqueue(share);
    this.#deliver();
    return true;
  }

  /** Whether no more datagrams are added. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** Whether a datagram of that size fits, and the peer is not held back. */
  hasRoom(share: Share, size: number): boolean {
    return !this.isOver &&
      (share.isOver || !share.isHeldBack && this.#fits(share, size));
  }

  /**
   * Waits until a datagram of that size fits and the peer is not held back; or
   * until the peer has left, after which a datagram is added if it fits.
   *
   * @returns Whether the queue goes on.
   */
  async room(share: Share, size: number): Promise<boolean> {
    while (!this.isOver && !this.hasRoom(share, size)) {
      this.#onRoom ??= Promise.withResolvers();
      await this.#onRoom.promise;
    }
    return !this.isOver;
  }

  /** Notes that a peer has left: what it sent is delivered, and nothing waits. */
  leave(share: Share): void {
    share.isOver = true;
    this.resume(share);
  }

  /** Delivers nothing of that peer until `resume` is called. */
  holdBack(share: Share): void {
    share.isHeldBack = true;
  }

  /** Delivers that peer's datagrams again. */
  resume(share: Share): void {
    share.isHeldBack = false;
    this.#enqueue(share);
    this.#deliver();
    this.#hasRoom();
  }

  /** Receives the next datagram, as a carrier does; one call at a time. */
  receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Received> {
    const settle = Promise.withResolvers<Received>();
    this.#receiver = { buffer, settle };
    this.#deliver();
    this.#rejectAtEnd();
    return settle.promise;
  }

  /**
   * Ends the queue: waiting datagrams can still be received, then `receive`
   * rejects with the error.
   */
  end(error: () => Error): void {
    if (this.isOver) return;
    this.#ended = error;
    this.#rejectAtEnd();
    this.#hasRoom();
  }

  /** Ends the queue and drops the waiting datagrams. */
  close(): void {
    for (const share of this.#shares) {
      this.drops.closed += share.length;
      while (share.take() !== undefined);
      share.isQueued = false;
    }
    this.#shares.clear();
    this.#order = [];
    this.#held = 0;
    this.end(() => new errors.Interrupted("closed"));
    this.#ended = () => new errors.BadResource("closed");
  }

  #fits(share: Share, size: number): boolean {
    const cost = size + OVERHEAD;
    // One of each peer fits always, however much the others hold.
    return share.held === 0 ||
      share.held + cost <= MAX_BYTES_OF_ONE && this.#held + cost <= MAX_BYTES;
  }

  #enqueue(share: Share): void {
    if (share.isQueued || share.isHeldBack || share.length === 0) return;
    share.isQueued = true;
    this.#order.push(share);
  }

  /** Gives the receiver, if there is one, the next datagram, if there is one. */
  #deliver(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    for (let share; (share = this.#order.shift()) !== undefined;) {
      share.isQueued = false;
      if (share.isHeldBack) continue;
      const data = share.take();
      if (data === undefined) continue;
      this.#held -= data.length + OVERHEAD;
      if (share.length === 0) this.#shares.delete(share);
      else this.#enqueue(share);
      this.#receiver = undefined;
      receiver.settle.resolve([
        fill(receiver.buffer, data),
        copyAddr(share.from),
      ]);
      return this.#hasRoom();
    }
  }

  #rejectAtEnd(): void {
    if (this.#ended === undefined || this.#shares.size > 0) return;
    this.#receiver?.settle.reject(this.#ended());
    this.#receiver = undefined;
  }

  #hasRoom(): void {
    this.#onRoom?.resolve();
    this.#onRoom = undefined;
  }
}

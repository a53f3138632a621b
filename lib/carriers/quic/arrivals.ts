import type { Addr, NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { fill } from "../fill.ts";

// Of all peers together, and of one, so that a flooding peer leaves room for the
// others.
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BYTES_OF_ONE = 1024 * 1024;
// What a datagram costs besides its bytes, so that empty ones are bounded too.
const OVERHEAD = 128;

type Received = [Uint8Array<ArrayBuffer>, Addr];

/** How much of the queue one peer holds. */
export interface Share {
  /** The peer. */
  readonly from: NetAddr;
  /** In bytes, with the overhead of each datagram. */
  held: number;
}

/**
 * The datagrams of all peers of a carrier that wait to be received: in the order
 * of their arrival, bounded in bytes.
 */
export class Arrivals {
  /** Datagrams that did not fit, and datagrams that were never received. */
  readonly drops = { queueFull: 0, closed: 0 };
  readonly #waiting: { data: Uint8Array; share: Share }[] = [];
  #held = 0;
  #next = 0;
  #receiver:
    | {
      buffer?: Uint8Array<ArrayBuffer>;
      settle: PromiseWithResolvers<Received>;
    }
    | undefined;
  #onRoom: PromiseWithResolvers<void> | undefined;
  #ended: (() => Error) | undefined;

  /** Adds a datagram, or counts it as dropped if it does not fit. */
  push(share: Share, data: Uint8Array): void {
    if (this.isOver) this.drops.closed++;
    else if (this.#receiver !== undefined) this.#give(data, share.from);
    else if (!this.#fits(share, data.length)) this.drops.queueFull++;
    else {
      share.held += data.length + OVERHEAD;
      this.#held += data.length + OVERHEAD;
      this.#waiting.push({ data, share });
    }
  }

  /** Whether no more datagrams are added. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Waits until a datagram of that size fits.
   *
   * @returns Whether it does; `false` means that the queue has ended.
   */
  async room(share: Share, size: number): Promise<boolean> {
    while (!this.isOver && !this.#fits(share, size)) {
      this.#onRoom ??= Promise.withResolvers();
      await this.#onRoom.promise;
    }
    return !this.isOver;
  }

  /** Receives the next datagram, as a carrier does; one call at a time. */
  receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Received> {
    const first = this.#take();
    if (first !== undefined) {
      return Promise.resolve([fill(buffer, first.data), first.share.from]);
    }
    if (this.#ended !== undefined) return Promise.reject(this.#ended());
    this.#receiver = { buffer, settle: Promise.withResolvers() };
    return this.#receiver.settle.promise;
  }

  /**
   * Ends the queue: waiting datagrams can still be received, then `receive`
   * rejects with the error.
   */
  end(error: () => Error): void {
    if (this.isOver) return;
    this.#ended = error;
    this.#receiver?.settle.reject(error());
    this.#receiver = undefined;
    this.#hasRoom();
  }

  /** Ends the queue and drops the waiting datagrams. */
  close(): void {
    this.drops.closed += this.#waiting.length - this.#next;
    this.#waiting.length = this.#next = this.#held = 0;
    this.end(() => new errors.Interrupted("closed"));
    this.#ended = () => new errors.BadResource("closed");
  }

  #fits(share: Share, size: number): boolean {
    const cost = size + OVERHEAD;
    return (share.held === 0 || share.held + cost <= MAX_BYTES_OF_ONE) &&
      (this.#held === 0 || this.#held + cost <= MAX_BYTES);
  }

  #give(data: Uint8Array, from: NetAddr): void {
    const { buffer, settle } = this.#receiver!;
    this.#receiver = undefined;
    settle.resolve([fill(buffer, data), from]);
  }

  /** Removes the first. `shift` would move all the others each time. */
  #take(): { data: Uint8Array; share: Share } | undefined {
    if (this.#next === this.#waiting.length) return undefined;
    const first = this.#waiting[this.#next++];
    if (this.#next === this.#waiting.length || this.#next >= 1024) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
    first.share.held -= first.data.length + OVERHEAD;
    this.#held -= first.data.length + OVERHEAD;
    this.#hasRoom();
    return first;
  }

  #hasRoom(): void {
    this.#onRoom?.resolve();
    this.#onRoom = undefined;
  }
}

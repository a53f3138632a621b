import type { Addr, NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
// Of all peers together, and of one: so one that floods leaves room for others.
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BYTES_OF_ONE = 1024 * 1024;
// What a datagram costs besides its bytes, so that empty ones are bounded too.
const OVERHEAD = 128;

type Received = [Uint8Array<ArrayBuffer>, Addr];

/** What one peer holds of the queue. */
export interface Share {
  readonly from: NetAddr;
  held: number;
}

/**
 * What came from all peers of a carrier and waits to be received: in the order
 * in which it came, bounded in bytes.
 */
export class Arrivals {
  /** What did not fit, and what nobody received. */
  readonly drops = { queueFull: 0, closed: 0 };
  readonly #waiting: { data: Uint8Array; share: Share }[] = [];
  #held = 0;
  #next = 0;
  #receiver:
    | { buffer?: Uint8Array; settle: PromiseWithResolvers<Received> }
    | undefined;
  #onRoom: PromiseWithResolvers<void> | undefined;
  #ended: (() => Error) | undefined;

  /** Adds what came. What does not fit is counted. */
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

  /** Whether nothing is queued any more. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** Waits until so many bytes of that peer fit. Says whether they ever do. */
  async room(share: Share, size: number): Promise<boolean> {
    while (!this.isOver && !this.#fits(share, size)) {
      this.#onRoom ??= Promise.withResolvers();
      await this.#onRoom.promise;
    }
    return !this.isOver;
  }

  /** As a carrier's `receive`: one at a time. */
  receive(buffer?: Uint8Array): Promise<Received> {
    const first = this.#take();
    if (first !== undefined) {
      return Promise.resolve(fill(buffer, first.data, first.share.from));
    }
    if (this.#ended !== undefined) return Promise.reject(this.#ended());
    this.#receiver = { buffer, settle: Promise.withResolvers() };
    return this.#receiver.settle.promise;
  }

  /** Nothing comes any more: what waits is still received, then `error` is. */
  end(error: () => Error): void {
    if (this.isOver) return;
    this.#ended = error;
    this.#receiver?.settle.reject(error());
    this.#receiver = undefined;
    this.#hasRoom();
  }

  /** Nobody receives any more. */
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
    settle.resolve(fill(buffer, data, from));
  }

  /** The first that waits. `shift` would move all the others each time. */
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

/** Cut to the buffer, as Deno's own sockets do. */
function fill(
  buffer: Uint8Array | undefined,
  data: Uint8Array,
  from: NetAddr,
): Received {
  const target = (buffer ?? new Uint8Array(data.length)) as Uint8Array<
    ArrayBuffer
  >;
  const size = Math.min(data.length, target.length);
  target.set(data.subarray(0, size));
  return [target.subarray(0, size), from];
}

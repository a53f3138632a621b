import { type Addr, copyAddr } from "../addr.ts";
import type { Metadata } from "../carrier.ts";
import { Datagram } from "../datagram.ts";

/**
 * Datagrams of one peer and one length, which are made when they are taken. Most
 * are read and forgotten one by one: if all were made at once, the garbage
 * collector would have to move them.
 */
export class UnreadRun<A extends Addr> {
  readonly #buffer: ArrayBuffer;
  readonly #end: number;
  readonly #size: number;
  readonly #stride: number;
  readonly #from: A;
  readonly #metadata: Metadata | undefined;
  #at: number;

  /**
   * @param data The bytes of all datagrams.
   * @param size The length of each datagram; the last one may be shorter.
   * @param stride The distance between the beginnings of two datagrams.
   */
  constructor(
    data: Uint8Array<ArrayBuffer>,
    size: number,
    stride: number,
    from: A,
    metadata?: Metadata,
  ) {
    this.#buffer = data.buffer;
    this.#at = data.byteOffset;
    this.#end = this.#at + data.length;
    this.#size = size;
    this.#stride = stride;
    this.#from = from;
    this.#metadata = metadata;
  }

  /** How many datagrams were not taken yet. */
  get left(): number {
    return Math.ceil((this.#end - this.#at) / this.#stride);
  }

  /** Whether all datagrams were taken. */
  get isOver(): boolean {
    return this.#at >= this.#end;
  }

  /**
   * Returns the next datagram. It has an address of its own, which the program
   * may change.
   */
  take(): Datagram<A> {
    const at = this.#at;
    const length = Math.min(this.#size, this.#end - at);
    this.#at = at + this.#stride;
    return new Datagram(
      new Uint8Array(this.#buffer, at, length),
      copyAddr(this.#from),
      false,
      this.#metadata,
    );
  }

  /** Adds the next datagrams to a list, until it has `max`. */
  takeInto(list: Datagram<A>[], max: number): void {
    while (!this.isOver && list.length < max) list.push(this.take());
  }
}

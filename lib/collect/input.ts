import type { Addr } from "../addr.ts";
import { wrongType } from "../check.ts";
import type { Datagram } from "../datagram.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";

// How many datagrams are taken at a time.
const MAX_BATCH = 256;

/**
 * Checks a socket, or what wraps one: a program may pass its own.
 *
 * @throws {TypeError} It is none.
 */
export function requireSocket(action: string, socket: unknown): void {
  const { clock, answer, batches, stats } = (socket ?? {}) as Partial<
    DatagramSocket
  >;
  if (
    typeof clock?.now === "function" && typeof answer === "function" &&
    typeof batches === "function" && typeof stats === "object"
  ) return;
  throw wrongType(action, "socket", "a bound socket", socket);
}

/**
 * Receives the datagrams of a socket in batches, and never more than are wanted:
 * the others stay in the socket.
 */
export class Input<A extends Addr> implements AsyncIterator<Datagram<A>[]> {
  readonly #socket: DatagramSocket<A>;
  #batches: AsyncIterableIterator<Datagram<A>[]>;
  #max = MAX_BATCH;
  #left: number;
  #isOver = false;

  /** @param count How many datagrams are wanted. */
  constructor(socket: DatagramSocket<A>, count: number) {
    this.#socket = socket;
    this.#left = count;
    this.#batches = this.#begin();
  }

  /** How many are still wanted. */
  get left(): number {
    return this.#left;
  }

  /** Notes that one of those that came was taken. */
  took(): void {
    this.#left--;
  }

  next(): Promise<IteratorResult<Datagram<A>[]>> {
    if (!this.#isOver && this.#left < this.#max) this.#batches = this.#begin();
    return this.#batches.next();
  }

  /** Ends it. What has not been taken stays in the socket. */
  return(): Promise<IteratorResult<Datagram<A>[]>> {
    this.#isOver = true;
    return this.#batches.return!();
  }

  #begin(): AsyncIterableIterator<Datagram<A>[]> {
    this.#max = Math.min(MAX_BATCH, Math.max(1, this.#left));
    return this.#socket.batches({ max: this.#max });
  }
}

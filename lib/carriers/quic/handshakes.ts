import { clearTimeout, performance, setTimeout } from "../../platform.ts";

/**
 * The clients that are in their handshake, and the limit of its time. One timer
 * serves all of them: one for each client would take longer than the greeting.
 */
export class Handshakes {
  readonly #limitMs: number;
  // When the time of each is over, the earliest first; `Infinity` once it was.
  readonly #ends = new Map<Deno.QuicConn, number>();
  readonly #onLate: (conn: Deno.QuicConn) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onLate Called once when a client's time is over. */
  constructor(limitMs: number, onLate: (conn: Deno.QuicConn) => void) {
    this.#limitMs = limitMs;
    this.#onLate = onLate;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#ends.size;
  }

  /** Adds a client. Its time begins. */
  add(conn: Deno.QuicConn): void {
    this.#ends.set(conn, performance.now() + this.#limitMs);
    this.#watch(this.#limitMs);
  }

  /** Removes a client. */
  delete(conn: Deno.QuicConn): void {
    this.#ends.delete(conn);
  }

  /** Closes the connections of all clients. None is late any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const conn of this.#ends.keys()) conn.close();
  }

  #watch(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#look(performance.now());
    }, ms);
  }

  #look(now: number): void {
    let next = Infinity;
    for (const [conn, end] of this.#ends) {
      if (end > now) next = Math.min(next, end);
      else {
        this.#ends.set(conn, Infinity);
        this.#onLate(conn);
      }
    }
    if (next !== Infinity) this.#watch(Math.max(1, next - now));
  }
}

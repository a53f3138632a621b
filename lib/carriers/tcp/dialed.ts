import { errors } from "../../errors.ts";
import type { Addr, SchemeAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { addressOf } from "./bound.ts";
import { Connection } from "./connection.ts";
import type { TcpOptions } from "./limits.ts";
import { sweep } from "./sweep.ts";

/**
 * One connection as a carrier. When the peer ends it, each `receive` rejects
 * with `Deno.errors.ConnectionReset` once all messages are read.
 */
export class DialledCarrier implements Carrier {
  readonly addr: SchemeAddr;
  readonly remote: SchemeAddr;
  readonly #connection: Connection;
  readonly #options: Required<TcpOptions>;
  readonly #sweep: Disposable;
  #incomplete = 0;

  /** @param scheme What addresses begin with, where it is not `tcp`. */
  constructor(
    conn: Deno.Conn,
    options: Required<TcpOptions>,
    scheme?: "tls",
  ) {
    this.addr = addressOf(conn.localAddr, scheme);
    this.remote = addressOf(conn.remoteAddr, scheme);
    this.#options = options;
    // It is the caller who says how long to wait for the peer.
    const limits = { ...options, idleMs: Infinity, messageMs: Infinity };
    this.#connection = new Connection(conn, this.remote, limits);
    this.#sweep = sweep([options.sendMs], (now) => {
      const lateness = this.#connection.lateness(now);
      if (lateness !== undefined) this.#connection.close(lateness);
    });
  }

  async receive(
    into: Uint8Array = new Uint8Array(65_536),
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    const buffer = into as Uint8Array<ArrayBuffer>;
    for (;;) {
      const size = this.#connection.next(buffer);
      if (size !== undefined) return [buffer.subarray(0, size), this.remote];
      try {
        if (this.#connection.ended) {
          throw new errors.ConnectionReset("the peer sends no more");
        }
        await this.#connection.read();
      } catch (error) {
        this.#incomplete = this.#connection.partial ? 1 : 0;
        throw error;
      }
    }
  }

  async send(message: Uint8Array): Promise<number> {
    await this.#connection.write(message);
    return message.length;
  }

  maxSize(): number {
    return this.#options.maxMessage;
  }

  drops(): Record<string, number> {
    return { incomplete: this.#incomplete };
  }

  ref(): void {
    this.#connection.ref();
  }

  unref(): void {
    this.#connection.unref();
  }

  close(): void {
    this.#sweep[Symbol.dispose]();
    this.#connection.close();
  }

  async end(): Promise<void> {
    await this.#connection.end(true);
    this.#sweep[Symbol.dispose]();
  }
}

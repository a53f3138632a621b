import type { Addr, SchemeAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { Connection } from "./connection.ts";
import type { TcpOptions } from "./limits.ts";
import { streamAddr, type StreamScheme } from "./scheme_addr.ts";
import { sweep } from "./sweep.ts";

/**
 * The client's end of one connection. When the peer ends it, each `receive`
 * rejects with `Deno.errors.ConnectionReset` once all messages were received.
 */
export class DialedCarrier implements Carrier {
  readonly addr: SchemeAddr;
  readonly remote: SchemeAddr;
  readonly maxReceive: number;
  readonly #connection: Connection;
  readonly #options: Required<TcpOptions>;
  readonly #sweep: Disposable;
  #incomplete = 0;

  constructor(
    conn: Deno.Conn<Deno.NetAddr>,
    options: Required<TcpOptions>,
    scheme: StreamScheme,
  ) {
    this.addr = streamAddr(conn.localAddr, scheme);
    this.remote = streamAddr(conn.remoteAddr, scheme);
    this.maxReceive = options.maxMessage;
    this.#options = options;
    // The program itself decides how long it waits for this peer.
    const limits = { ...options, idleMs: Infinity, messageMs: Infinity };
    this.#connection = new Connection(conn, this.remote, limits);
    this.#sweep = sweep([options.sendMs], (now) => {
      const lateness = this.#connection.lateness(now);
      if (lateness !== undefined) this.#connection.close(lateness);
    });
  }

  async receive(
    into: Uint8Array<ArrayBuffer> = new Uint8Array(this.maxReceive),
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    for (;;) {
      const size = this.#connection.next(into);
      if (size !== undefined) return [into.subarray(0, size), this.remote];
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

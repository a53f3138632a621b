import type { Addr, SchemeAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { Backlogs } from "../backlog.ts";
import { sweep } from "../sweep.ts";
import { Connection } from "./connection.ts";
import type { StreamSettings } from "./limits.ts";
import { type Losses, noLosses } from "./losses.ts";
import { streamAddr, type StreamScheme } from "./scheme_addr.ts";

/**
 * The client's end of one connection. When the peer ends it, each `receive`
 * rejects with `Deno.errors.ConnectionReset` once all messages were received.
 */
export class DialedCarrier implements Carrier {
  readonly addr: SchemeAddr;
  readonly remote: SchemeAddr;
  readonly maxReceive: number;
  readonly #connection: Connection;
  readonly #options: StreamSettings;
  readonly #sweep: Disposable;
  readonly #losses: Losses = noLosses();

  constructor(
    conn: Deno.Conn<Deno.NetAddr>,
    options: StreamSettings,
    scheme: StreamScheme,
  ) {
    this.addr = streamAddr(conn.localAddr, scheme);
    this.remote = streamAddr(conn.remoteAddr, scheme);
    this.maxReceive = options.maxMessage;
    this.#options = options;
    this.#connection = new Connection(conn, this.remote, {
      // The program itself decides how long it waits for this peer.
      options: { ...options, idleMs: Infinity, messageMs: Infinity },
      backlogs: new Backlogs(options.maxMessage),
      losses: this.#losses,
    });
    this.#sweep = sweep([options.sendMs], (now) => {
      const lateness = this.#connection.lateness(now);
      if (lateness !== undefined) this.#connection.close(lateness);
    });
  }

  async receive(
    into: Uint8Array<ArrayBuffer> = new Uint8Array(this.maxReceive),
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    const connection = this.#connection;
    for (;;) {
      const size = connection.next(into);
      if (size !== undefined) return [into.subarray(0, size), connection.from];
      try {
        if (connection.malformed) connection.close("malformed");
        else if (connection.ended) {
          throw new errors.ConnectionReset("the peer sends no more");
        }
        await connection.read();
      } catch (error) {
        connection.cut();
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
    // A message that was not sent is a `send` that rejected.
    const { incomplete, closed } = this.#losses;
    return { incomplete, closed };
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
    this.#connection.discard();
  }

  async end(): Promise<void> {
    await this.#connection.end(true);
    this.#sweep[Symbol.dispose]();
  }
}

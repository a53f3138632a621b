import type { NetAddr } from "../addr.ts";
import type { ReceivedRun } from "../run.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { pump } from "../socket/pump.ts";
import type { SessionDirection } from "./direction.ts";
import type { Front } from "./fronts.ts";

export type { DirectionStats } from "./direction_stats.ts";

/** What a session is made of. */
export interface SessionParts {
  /** The socket that stands for the client towards the server. */
  readonly upstream: DatagramSocket;
  /** To the server, by its port. */
  readonly up: SessionDirection<number>;
  /** To the client, from a socket of the relay. */
  readonly down: SessionDirection<Front>;
  /** Called with the datagrams that the upstream socket receives. */
  readonly receive: (run: ReceivedRun<NetAddr>) => Promise<void> | void;
  readonly report: (error: unknown) => void;
}

/** One client of a relay, with an upstream port of its own. */
export class Session {
  readonly up: SessionDirection<number>;
  readonly down: SessionDirection<Front>;
  readonly #upstream: DatagramSocket;
  readonly #running: Promise<void>;

  constructor({ upstream, up, down, receive, report }: SessionParts) {
    this.up = up;
    this.down = down;
    this.#upstream = upstream;
    this.#running = pump(upstream.runs(), upstream.clock, receive, report);
  }

  /** The address of its upstream socket. */
  get addr(): NetAddr {
    return this.#upstream.addr;
  }

  /** When a datagram last passed; the present while one is held. */
  get lastUsed(): number {
    return Math.max(this.up.lastUsed, this.down.lastUsed);
  }

  /** Ends the session. Datagrams that are held are not sent. */
  async close(): Promise<void> {
    await Promise.all([this.up.close(), this.down.close()]);
    await this.#upstream[Symbol.asyncDispose]();
    await this.#running;
    // What the upstream socket has received in the meantime.
    await this.down.close();
  }
}

import type { NetAddr } from "../../addr.ts";
import { sourceOf } from "../../limits/guard.ts";
import { reasonOf, type Warnings } from "../../warnings.ts";
import { Connection, type TimeLimits } from "./connection.ts";

const TROUBLE = "the page accepts no connections";
// The codes of a system that has no room for another connection.
const NO_ROOM = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];
// The codes of a connection that ended before it was accepted (accept(2)).
const GONE = [
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOPROTOOPT",
  "ENOTCONN",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
];

/** What the connections of a page may take. */
export interface ConnectionLimits extends TimeLimits {
  /** The most connections. */
  readonly all: number;
  /** The most from one address, or from the first 64 bits of an IPv6 address. */
  readonly perSource: number;
  /** How long to wait after a failure, in milliseconds. */
  readonly retryMs: number;
  /** How long after the last failure the trouble is over, in milliseconds. */
  readonly calmMs: number;
}

/**
 * Accepts the connections of a page, and goes on whatever fails. If there are too
 * many, the one that has been idle for longest is closed for the new one.
 */
export class Listener {
  /** The address, with the port that the system chose. */
  readonly address: NetAddr;
  readonly #connections = new Set<Connection>();
  readonly #onConnection: (connection: Connection) => void;
  readonly #limits: ConnectionLimits;
  readonly #warnings: Warnings;
  readonly #accepting: Promise<void>;
  readonly #closing = Promise.withResolvers<void>();
  #closed = false;
  #failedAt = 0;
  // Absent after a failure, until it listens again.
  #listener: Deno.TcpListener | undefined;

  /** @throws The address cannot be listened on; the error is Deno's. */
  constructor(
    address: NetAddr,
    onConnection: (connection: Connection) => void,
    limits: ConnectionLimits,
    warnings: Warnings,
  ) {
    this.#listener = listen(address);
    this.address = this.#listener.addr;
    this.#onConnection = onConnection;
    this.#limits = limits;
    this.#warnings = warnings;
    this.#accepting = this.#run();
  }

  /** The number of open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Accepts no more connections, and frees the port. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.resolve();
    this.#listener?.close();
    await this.#accepting;
  }

  /** Closes the connections, whatever they do. */
  closeConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#listener ??= listen(this.address);
        this.#admit(await this.#listener.accept());
        this.#calm();
      } catch (error) {
        if (!this.#closed) await this.#recover(error);
      }
    }
  }

  /** Reports the end of a trouble, unless failures alternate with connections. */
  #calm(): void {
    const isOver = performance.now() - this.#failedAt >= this.#limits.calmMs;
    if (isOver && this.#warnings.over(TROUBLE)) {
      this.#warnings.note("the page accepts connections again");
    }
  }

  async #recover(error: unknown): Promise<void> {
    const { code = "" } = error as { code?: string };
    if (GONE.includes(code)) return;
    this.#failedAt = performance.now();
    this.#warnings.once(
      TROUBLE,
      `${TROUBLE}: ${reasonOf(error)}; trying again`,
    );
    if (NO_ROOM.includes(code)) {
      // The server needs room for more than its page.
      const idle = this.#idle();
      for (const one of idle.slice(0, Math.ceil(idle.length / 2))) {
        one.destroy();
      }
    } else {
      this.#listener?.close();
      this.#listener = undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) =>
      timer = setTimeout(resolve, this.#limits.retryMs)
    );
    await Promise.race([late, this.#closing.promise]);
    clearTimeout(timer);
  }

  #admit(conn: Deno.TcpConn): void {
    const connection = new Connection(conn, this.#limits);
    const source = sourceOf(connection.hostname);
    const sameSource = [...this.#connections]
      .filter(({ hostname }) => sourceOf(hostname) === source).length;
    const hasRoom = sameSource >= this.#limits.perSource
      ? this.#makeRoom(source)
      : this.#connections.size < this.#limits.all || this.#makeRoom();
    if (!hasRoom) return void connection.destroy();
    try {
      conn.setNoDelay(true);
    } catch {
      // It was reset already; reading will tell.
    }
    this.#connections.add(connection);
    connection.once("close", () => void this.#connections.delete(connection));
    this.#onConnection(connection);
  }

  /** Closes the longest idle connection. @returns Whether there was one. */
  #makeRoom(source?: string): boolean {
    const longest = this.#idle().find(({ hostname }) =>
      source === undefined || sourceOf(hostname) === source
    );
    longest?.destroy();
    return longest !== undefined;
  }

  /** The idle connections, the longest idle first. */
  #idle(): Connection[] {
    return [...this.#connections]
      .filter(({ idleSince }) => idleSince !== undefined)
      .sort((one, other) => one.idleSince! - other.idleSince!);
  }
}

function listen({ hostname, port }: NetAddr): Deno.TcpListener {
  return Deno.listen({ hostname, port });
}

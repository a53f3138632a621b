import type { SchemeAddr } from "../../addr.ts";
import type { Carrier, DialOptions } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { performance } from "../../platform.ts";
import { Backlogs } from "../backlog.ts";
import { DialLimits } from "../dial_limits.ts";
import { sweep } from "../sweep.ts";
import { Arrivals, type Received } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { Control, CONTROL_READ } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { parkedEndpoint, parkEndpoint } from "./endpoints.ts";
import { CODE, dialFailure, noAnswer, refusal } from "./failures.ts";
import { clientHello, type Hello, readHello } from "./hello.ts";
import { longestOf } from "./messages.ts";
import { Peer } from "./peer.ts";
import { quicAddr } from "./scheme_addr.ts";
import { clientTransport, type Settings } from "./settings.ts";

/** The server to connect to, its host resolved. */
export interface Target {
  hostname: string;
  port: number;
  /** The name that the certificate must be issued for. */
  serverName: string;
  /** The local address that it is reached from. */
  from: string;
}

/**
 * Connects and exchanges hellos.
 *
 * @throws One line that says what went wrong, as an error of `errors`; or
 * `signal.reason`, if the signal aborts first.
 */
export async function dial(
  target: Target,
  settings: Settings,
  counts: Counts,
  { signal }: DialOptions = {},
): Promise<Dialed> {
  signal?.throwIfAborted();
  const endpoint = parkedEndpoint(target.from);
  const { handshakeMs } = settings;
  const start = performance.now();
  const late = noAnswer(handshakeMs);
  const giveUp = () => endpoint.close();
  using limits = new DialLimits(handshakeMs, late, signal, giveUp);
  try {
    const { hostname, port, serverName } = target;
    const { caCerts } = settings;
    const conn = await Deno.connectQuic({
      ...clientTransport(settings),
      ...{ hostname, port, serverName, endpoint },
      ...(caCerts !== undefined && { caCerts }),
    });
    const dialed = await greet(conn, target, settings, counts);
    if (!limits.isOver) return dialed;
    dialed.close();
    throw limits.why;
  } catch (error) {
    if (limits.isOver) throw limits.why;
    parkEndpoint(target.from, endpoint);
    throw dialFailure(error, Math.round(performance.now() - start));
  }
}

async function greet(
  conn: Deno.QuicConn,
  target: Target,
  settings: Settings,
  counts: Counts,
): Promise<Dialed> {
  const own = { reliable: settings.reliable, largest: settings.maxMessage };
  try {
    const stream = await conn.createBidirectionalStream({
      waitUntilAvailable: true,
    });
    const writer = stream.writable.getWriter();
    await writer.write(clientHello(own, settings.token));
    const reader = new ByteReader(stream.readable, CONTROL_READ);
    const theirs = await readHello(reader);
    if (theirs !== undefined) {
      const control = new Control(reader, writer);
      return new Dialed(
        conn,
        target,
        { control, own, theirs },
        settings,
        counts,
      );
    }
    conn.close({ closeCode: CODE.hello, reason: "" });
  } catch {
    // The connection has ended, and reports why.
    throw refusal(await conn.closed);
  }
  throw new errors.InvalidData("the server's hello is invalid");
}

/** The client's end of one connection. */
class Dialed implements Carrier {
  readonly addr: SchemeAddr;
  readonly remote: SchemeAddr;
  readonly closed: Promise<void>;
  readonly maxReceive: number;
  readonly #arrivals = new Arrivals();
  readonly #drops: Drops = { lost: 0, unconfirmed: 0 };
  readonly #peer: Peer;
  readonly #sweep: Disposable;

  constructor(
    conn: Deno.QuicConn,
    { from, hostname, port }: Target,
    greeting: { control: Control; own: Hello; theirs: Hello },
    { idleMs, maxMessage }: Settings,
    counts: Counts,
  ) {
    this.maxReceive = maxMessage;
    const { endpoint } = conn;
    this.addr = quicAddr(endpoint.addr);
    this.remote = quicAddr({ hostname, port });
    this.#peer = new Peer({
      ...greeting,
      ...{ conn, idleMs, endMs: idleMs, counts, waits: true },
      ...{ arrivals: this.#arrivals, drops: this.#drops },
      backlogs: new Backlogs(longestOf(maxMessage)),
    });
    this.#sweep = sweep([idleMs], (now) => this.#peer.check(now));
    counts.peers++;
    counts.admitted++;
    this.closed = this.#peer.gone.then((why) => {
      counts.peers--;
      this.#sweep[Symbol.dispose]();
      this.#arrivals.end(() => new errors.ConnectionReset(why));
      parkEndpoint(from, endpoint);
    });
  }

  receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Received> {
    return this.#arrivals.receive(buffer);
  }

  send(data: Uint8Array): Promise<number> {
    return this.#peer.send(data);
  }

  maxSize(): number {
    return this.#peer.maxSize;
  }

  drops(): Record<string, number> {
    return { ...this.#arrivals.drops, ...this.#drops };
  }

  close(): void {
    this.#arrivals.close();
    this.#peer.close(CODE.goodbye);
  }

  async end(): Promise<void> {
    this.#arrivals.close();
    await this.#peer.end();
  }
}

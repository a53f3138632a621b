import type { SchemeAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import type { Carrier } from "../../carrier.ts";
import { Arrivals } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { Control } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { parkedEndpoint, parkEndpoint } from "./endpoints.ts";
import { CODE, handshakeFailure, noAnswer, refusal } from "./failures.ts";
import { clientHello, type Hello, readHello } from "./hello.ts";
import { Peer } from "./peer.ts";
import { quicAddr } from "./scheme_addr.ts";
import { type Settings, transport } from "./settings.ts";

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
 * @throws One line that says what went wrong, as an error of `errors`.
 */
export async function dial(
  target: Target,
  settings: Settings,
  counts: Counts,
): Promise<Dialed> {
  const endpoint = parkedEndpoint(target.from);
  const { handshakeMs } = settings;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endpoint.close();
  }, handshakeMs);
  try {
    const { hostname, port, serverName } = target;
    const conn = await Deno.connectQuic({
      ...transport(settings),
      ...{ hostname, port, serverName, endpoint },
      caCerts: settings.caCerts,
      keepAliveInterval: settings.keepAliveMs,
    });
    return await greet(conn, target, settings, counts);
  } catch (error) {
    if (isLate) throw noAnswer(handshakeMs);
    parkEndpoint(target.from, endpoint);
    throw handshakeFailure(error);
  } finally {
    clearTimeout(timer);
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
    const reader = new ByteReader(stream.readable);
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
  readonly maxReceive: number;
  readonly #arrivals = new Arrivals();
  readonly #drops: Drops = { lost: 0, unconfirmed: 0 };
  readonly #peer: Peer;

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
      ...{ conn, addr: this.remote, idleMs, counts },
      ...{ arrivals: this.#arrivals, drops: this.#drops },
    });
    counts.peers++;
    counts.admitted++;
    this.#peer.gone.then((why) => {
      counts.peers--;
      this.#arrivals.end(() => new errors.ConnectionReset(why));
      parkEndpoint(from, endpoint);
    });
  }

  receive(buffer?: Uint8Array<ArrayBuffer>) {
    return this.#arrivals.receive(buffer);
  }

  send(data: Uint8Array): Promise<number> {
    return this.#peer.send(data);
  }

  maxSize(): number {
    return this.#peer.maxSize;
  }

  drops() {
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

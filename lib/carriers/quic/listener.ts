import { copyAddr, type NetAddr, type SchemeAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import type { Carrier } from "../../carrier.ts";
import { Backlogs } from "../backlog.ts";
import { pause } from "../../turns.ts";
import { certificateFailure } from "../pem.ts";
import { sweep } from "../sweep.ts";
import { Arrivals, type Received } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { Control, CONTROL_READ } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { openEndpoint, released } from "./endpoints.ts";
import { CODE } from "./failures.ts";
import { Handshakes } from "./handshakes.ts";
import { isToken, readHello, readToken, serverHello } from "./hello.ts";
import { longestOf } from "./messages.ts";
import { Peer } from "./peer.ts";
import { PeerMap } from "./peer_map.ts";
import { quicAddr } from "./scheme_addr.ts";
import { serverTransport, type Settings } from "./settings.ts";

type Reason = keyof Counts["refused"];

// How often it is noted where the peers are. Asking at each message would take
// longer than all else that happens to a datagram.
const RENEW_MS = 1000;

/** The server's end: one endpoint, and one peer per connection. */
export class Listener implements Carrier {
  readonly addr: SchemeAddr;
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  readonly maxReceive: number;
  // A copy: a program may change what it was given.
  readonly #addr: SchemeAddr;
  readonly #settings: Settings;
  readonly #counts: Counts;
  #endpoint: Deno.QuicEndpoint | undefined;
  readonly #arrivals = new Arrivals();
  readonly #drops: Drops = { lost: 0, unconfirmed: 0 };
  readonly #peers = new PeerMap();
  readonly #backlogs: Backlogs;
  readonly #sweep: Disposable;
  readonly #ended = Promise.withResolvers<void>();
  #unread = 0;
  readonly #handshakes: Handshakes;
  // Why this end closed connections in their handshake.
  readonly #refused = new WeakMap<Deno.QuicConn, Reason>();
  #accepting: Promise<void> | undefined;
  #isClosed = false;

  /** @throws {Deno.errors.AddrInUse} Another socket has the address. */
  constructor(
    { hostname, port }: NetAddr,
    settings: Settings,
    counts: Counts,
  ) {
    const { cert, key } = settings;
    if (cert === undefined || key === undefined) {
      throw new TypeError(
        "a server needs cert and key: deno task cert makes them for development",
      );
    }
    this.maxReceive = settings.maxMessage;
    this.closed = this.#ended.promise;
    this.#settings = settings;
    this.#counts = counts;
    this.#backlogs = new Backlogs(longestOf(settings.maxMessage));
    this.#handshakes = new Handshakes(
      settings.handshakeMs,
      (conn) => void this.#refuse(conn, "slow", CODE.slow),
    );
    const endpoint = openEndpoint(hostname, port);
    if (endpoint instanceof Promise) {
      this.#addr = quicAddr({ hostname, port });
      this.opened = endpoint.then((endpoint) => this.#listen(endpoint));
      this.opened.catch((error) => this.#arrivals.end(() => error));
    } else {
      this.#addr = quicAddr(endpoint.addr);
      this.#listen(endpoint);
      this.opened = Promise.resolve();
    }
    this.addr = copyAddr(this.#addr);
    this.#sweep = sweep([settings.listenIdleMs, RENEW_MS], (now) => {
      this.#peers.renew();
      for (const peer of this.#peers.all) peer.check(now);
    });
  }

  receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Received> {
    return this.#arrivals.receive(buffer);
  }

  send(data: Uint8Array, to: NetAddr): Promise<number> {
    const peer = this.#peers.at(to);
    if (peer !== undefined) return peer.send(data);
    return Promise.reject(
      new errors.NotConnected(
        "that peer is not connected; a bound QUIC socket can only send to connected peers",
      ),
    );
  }

  maxSize(to: NetAddr): number {
    return this.#peers.at(to)?.maxSize ?? this.#settings.maxMessage;
  }

  drops(): Record<string, number> {
    return { ...this.#arrivals.drops, ...this.#drops };
  }

  connections(): Record<string, number> {
    return { unread: this.#unread };
  }

  close(): void {
    this.#shut();
    const peers = [...this.#peers.all];
    for (const peer of peers) peer.close(CODE.goodbye);
    this.#endpoint?.close();
    this.#sweep[Symbol.dispose]();
    this.#end(peers);
  }

  async end(): Promise<void> {
    this.#shut();
    await this.opened.catch(() => {});
    const peers = [...this.#peers.all];
    await Promise.all(peers.map((peer) => peer.end()));
    this.#endpoint?.close();
    this.#sweep[Symbol.dispose]();
    await this.#end(peers);
  }

  async #end(peers: readonly Peer[]): Promise<void> {
    await Promise.all(peers.map(({ gone }) => gone));
    await this.opened.catch(() => {});
    await this.#accepting;
    this.#ended.resolve();
  }

  #listen(endpoint: Deno.QuicEndpoint): void {
    try {
      const { cert = "", key = "" } = this.#settings;
      const options = { ...serverTransport(this.#settings), cert, key };
      this.#endpoint = endpoint;
      this.#accepting = this.#accept(endpoint.listen(options));
    } catch (error) {
      endpoint.close();
      throw certificateFailure(error);
    }
    if (this.#isClosed) endpoint.close();
  }

  #shut(): void {
    this.#isClosed = true;
    this.#arrivals.close();
    this.#handshakes.close();
  }

  /**
   * Accepts clients until the endpoint is closed and no client waits there. A
   * listener that is freed while a client waits there crashes Deno (2.9.6). No
   * upstream issue is known. Remove the wait when that no longer crashes.
   */
  async #accept(listener: Deno.QuicListener): Promise<void> {
    for (;;) {
      const incoming = await listener.incoming().catch(() => undefined);
      if (incoming === undefined) break;
      this.#consider(incoming);
      // A handshake takes half a millisecond, and the next client may wait already.
      await pause();
    }
    // Nothing may refer to it, or its port stays in use.
    this.#endpoint = undefined;
    released(this.#addr);
  }

  /** Accepts a client's handshake, or rejects it; its address may be forged. */
  #consider(incoming: Deno.QuicIncoming): void {
    const { maxPeers, maxHandshakes } = this.#settings;
    const reason = this.#peers.size >= maxPeers
      ? "full"
      : this.#handshakes.size >= maxHandshakes
      ? "busy"
      : undefined;
    try {
      if (this.#isClosed) return incoming.refuse();
      if (reason !== undefined) {
        incoming.refuse();
        this.#counts.refused[reason]++;
        return;
      }
      // `zeroRtt` returns the connection before the handshake is done, so that one
      // that takes too long can be closed.
      const options = {
        ...serverTransport(this.#settings),
        zeroRtt: true as const,
      };
      this.#greet(incoming.accept(options));
    } catch {
      // There is no common protocol, or the client has left.
      this.#counts.refused[reason ?? "handshake"]++;
    }
  }

  async #greet(conn: Deno.QuicConn): Promise<void> {
    this.#handshakes.add(conn);
    this.#counts.handshakes++;
    const isAdmitted = await this.#hello(conn).catch(() => false);
    this.#handshakes.delete(conn);
    this.#counts.handshakes--;
    if (isAdmitted || this.#isClosed) return;
    this.#counts.refused[this.#refused.get(conn) ?? "handshake"]++;
  }

  #refuse(conn: Deno.QuicConn, reason: Reason, closeCode: number): false {
    this.#refused.set(conn, reason);
    conn.close({ closeCode, reason });
    return false;
  }

  /**
   * Exchanges hellos.
   *
   * @returns Whether the client is a peer now.
   * @throws What the connection fails with.
   */
  async #hello(conn: Deno.QuicConn): Promise<boolean> {
    const streams = conn.incomingBidirectionalStreams.getReader();
    const { value: stream } = await streams.read();
    if (stream === undefined) return false;
    const { token, reliable, maxMessage, maxPeers, listenIdleMs, listenEndMs } =
      this.#settings;
    const own = { reliable, largest: maxMessage };
    const reader = new ByteReader(stream.readable, CONTROL_READ);
    const writer = stream.writable.getWriter();
    const theirs = await readHello(reader);
    const given = theirs && await readToken(reader);
    if (theirs === undefined || given === undefined) {
      return this.#refuse(conn, "hello", CODE.hello);
    }
    if (token.length > 0 && !isToken(given, token)) {
      return this.#refuse(conn, "token", CODE.token);
    }
    if (this.#peers.size >= maxPeers) {
      return this.#refuse(conn, "full", CODE.full);
    }
    if (this.#isClosed) return false;
    // Not awaited: another client could be admitted meanwhile. If it fails, the
    // connection has ended, and the peer is soon removed.
    writer.write(serverHello(own)).catch(() => {});
    this.#admit(
      new Peer({
        ...{ conn, own, theirs, idleMs: listenIdleMs, endMs: listenEndMs },
        ...{ control: new Control(reader, writer), counts: this.#counts },
        ...{ arrivals: this.#arrivals, drops: this.#drops },
        ...{ waits: false, backlogs: this.#backlogs },
        onUnread: () => this.#unread++,
      }),
    );
    return true;
  }

  #admit(peer: Peer): void {
    const counts = this.#counts;
    this.#peers.add(peer);
    counts.peers++;
    counts.admitted++;
    peer.gone.then(() => {
      counts.peers--;
      this.#peers.delete(peer);
    });
  }
}

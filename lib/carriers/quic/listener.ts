import type { SchemeAddr } from "../../address.ts";
import type { Carrier } from "../../carrier.ts";
import { comparableHost } from "../../host.ts";
import { Arrivals } from "./arrivals.ts";
import { ByteReader } from "./byte_reader.ts";
import { Control } from "./control.ts";
import type { Counts, Drops } from "./counts.ts";
import { openAt, parkListener } from "./endpoints.ts";
import { certificateFailure, CODE } from "./failures.ts";
import { isToken, readHello, readToken, serverHello } from "./hello.ts";
import { Peer } from "./peer.ts";
import { type Settings, transport } from "./settings.ts";
import { shown } from "./shown.ts";

const KNOCK_MS = 500;

type Reason = keyof Counts["refused"];

/** Many peers on one endpoint, each of whom said hello. */
export class Listener implements Carrier {
  readonly addr: SchemeAddr;
  readonly #settings: Settings;
  readonly #counts: Counts;
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #listener: Deno.QuicListener;
  readonly #arrivals = new Arrivals();
  readonly #drops: Drops = { lost: 0, unconfirmed: 0 };
  readonly #peers = new Map<string, Peer>();
  readonly #greeted = new Set<Deno.QuicConn>();
  readonly #accepting: Promise<void>;
  #isClosed = false;

  /** @throws {Deno.errors.AddrInUse} Somebody has the address. */
  constructor(
    { hostname, port }: Deno.NetAddr,
    settings: Settings,
    counts: Counts,
  ) {
    const { cert, key } = settings;
    if (cert === undefined || key === undefined) {
      throw new TypeError(
        "a server needs cert and key: deno task cert makes them for development",
      );
    }
    this.#settings = settings;
    this.#counts = counts;
    this.#endpoint = openAt(hostname, port);
    try {
      this.#listener = this.#endpoint.listen({
        ...transport(settings),
        ...{ cert, key },
      });
    } catch (error) {
      parkListener(this.#endpoint);
      throw certificateFailure(error);
    }
    this.addr = shown(this.#endpoint.addr);
    this.#accepting = this.#accept();
  }

  receive(buffer?: Uint8Array) {
    return this.#arrivals.receive(buffer);
  }

  async send(data: Uint8Array, to: Deno.Addr): Promise<number> {
    const peer = this.#peerAt(to);
    if (peer === undefined) {
      throw new Deno.errors.NotConnected("no peer is connected from there");
    }
    return await peer.send(data);
  }

  maxSize(to: Deno.Addr): number {
    return this.#peerAt(to)?.maxSize ?? this.#settings.maxMessage;
  }

  drops() {
    return { ...this.#arrivals.drops, ...this.#drops };
  }

  close(): void {
    this.#shut();
    for (const peer of this.#peers.values()) peer.close(CODE.goodbye);
    this.#endpoint.close();
  }

  async end(): Promise<void> {
    this.#shut();
    const peers = [...this.#peers.values()];
    await Promise.all(peers.map((peer) => peer.end()));
    if (await this.#stopListening()) parkListener(this.#endpoint);
    else this.#endpoint.close();
    await this.#accepting;
  }

  #shut(): void {
    this.#isClosed = true;
    this.#arrivals.close();
    for (const conn of this.#greeted) conn.close();
  }

  #peerAt(to: Deno.Addr): Peer | undefined {
    return this.#peers.get(keyOf(to as Deno.NetAddr));
  }

  async #accept(): Promise<void> {
    try {
      for (;;) {
        const incoming = await this.#listener.incoming();
        if (!this.#isClosed) this.#consider(incoming);
        // To read any of its properties refuses it.
        else if (incoming.remoteAddr.port === this.addr.port) return;
      }
    } catch {
      // The endpoint is closed.
    }
  }

  /** Whether a caller may say hello at all: he may not even be at his address. */
  #consider(incoming: Deno.QuicIncoming): void {
    const { maxPeers, maxHandshakes } = this.#settings;
    const reason = this.#peers.size >= maxPeers
      ? "full"
      : this.#greeted.size >= maxHandshakes
      ? "busy"
      : undefined;
    if (reason !== undefined) {
      this.#counts.refused[reason]++;
      return incoming.refuse();
    }
    try {
      // So that there is a connection to close when the handshake takes too
      // long. The hello comes only after it.
      const conn = incoming.accept({
        ...transport(this.#settings),
        zeroRtt: true,
      });
      this.#greet(conn);
    } catch {
      this.#counts.refused.handshake++;
    }
  }

  async #greet(conn: Deno.QuicConn): Promise<void> {
    this.#greeted.add(conn);
    this.#counts.handshakes++;
    let refused: Reason = "handshake";
    const refuse = (reason: Reason, closeCode: number) => {
      refused = reason;
      conn.close({ closeCode, reason });
      return false as const;
    };
    const timer = setTimeout(
      () => refuse("slow", CODE.slow),
      this.#settings.handshakeMs,
    );
    const isAdmitted = await this.#hello(conn, refuse).catch(() => false);
    clearTimeout(timer);
    this.#greeted.delete(conn);
    this.#counts.handshakes--;
    if (!isAdmitted && !this.#isClosed) this.#counts.refused[refused]++;
  }

  /** Says whether the caller is a peer now. Rejects where the connection fails. */
  async #hello(
    conn: Deno.QuicConn,
    refuse: (reason: Reason, code: number) => false,
  ): Promise<boolean> {
    const streams = conn.incomingBidirectionalStreams.getReader();
    const { value: stream } = await streams.read();
    if (stream === undefined) return false;
    const { token, reliable, maxMessage, maxPeers, idleMs } = this.#settings;
    const own = { reliable, largest: maxMessage };
    const reader = new ByteReader(stream.readable);
    const writer = stream.writable.getWriter();
    const theirs = await readHello(reader);
    const given = theirs && await readToken(reader);
    if (theirs === undefined || given === undefined) {
      return refuse("hello", CODE.hello);
    }
    if (token.length > 0 && !isToken(given, token)) {
      return refuse("token", CODE.token);
    }
    if (this.#peers.size >= maxPeers) return refuse("full", CODE.full);
    if (this.#isClosed) return false;
    // No waiting from here on: another may be let in meanwhile. Where it cannot
    // be written the peer is gone, and soon forgotten.
    writer.write(serverHello(own)).catch(() => {});
    this.#admit(
      new Peer({
        ...{ conn, own, theirs, idleMs, addr: shown(conn.remoteAddr) },
        ...{ control: new Control(reader, writer), counts: this.#counts },
        ...{ arrivals: this.#arrivals, drops: this.#drops },
      }),
    );
    return true;
  }

  #admit(peer: Peer): void {
    const key = keyOf(peer.addr);
    const counts = this.#counts;
    // It has lost its connection and made another: there is one peer at an
    // address, or an answer could go to the wrong one.
    this.#peers.get(key)?.close(CODE.replaced);
    this.#peers.set(key, peer);
    counts.peers++;
    counts.admitted++;
    peer.gone.then(() => {
      counts.peers--;
      if (this.#peers.get(key) === peer) this.#peers.delete(key);
    });
  }

  /**
   * Deno ends a waiting `incoming` only when the endpoint is closed, which is for
   * good. So this end calls itself, which ends it likewise.
   */
  async #stopListening(): Promise<boolean> {
    const { hostname, port } = this.addr;
    const own = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
    const endpoint = this.#endpoint;
    try {
      const calling = Deno.connectQuic<false>({
        ...transport(this.#settings),
        ...{ endpoint, port, hostname: own, maxIdleTimeout: KNOCK_MS },
      }).then((conn) => conn.close(), () => {});
      const isOver = await Promise.race([
        this.#accepting.then(() => true),
        calling.then(() => false),
      ]);
      this.#listener.stop();
      await calling;
      return isOver;
    } catch {
      // It may not call itself.
      return false;
    }
  }
}

function keyOf({ hostname, port }: Deno.NetAddr): string {
  return `${comparableHost(hostname)} ${port}`;
}

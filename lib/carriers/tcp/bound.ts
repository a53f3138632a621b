import type { Addr, NetAddr, SchemeAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { performance } from "../../platform.ts";
import { round } from "../../turns.ts";
import { Backlogs } from "../backlog.ts";
import { peerKey } from "../../address/peer.ts";
import { sweep } from "../sweep.ts";
import { Acceptor, type Listener } from "./acceptor.ts";
import { Connection, LINGER_MS, type Shared } from "./connection.ts";
import type { Fault } from "./failures.ts";
import type { StreamSettings } from "./limits.ts";
import { type Losses, noClosings, noLosses } from "./losses.ts";
import { sendAtOnce } from "./no_delay.ts";
import { streamAddr, type StreamScheme } from "./scheme_addr.ts";

type Arrival = [Uint8Array<ArrayBuffer>, Addr];

/**
 * Many connections as one carrier. It reads ahead one chunk of each connection,
 * so TCP makes the peers wait while nothing is received. Peers that have sent
 * something are served in turn, one message at a time. A peer that does not take
 * what is sent to it is not read from until it does.
 */
export class BoundCarrier implements Carrier {
  readonly addr: SchemeAddr;
  readonly maxReceive: number;
  readonly #listener: Listener;
  readonly #acceptor: Acceptor;
  readonly #options: StreamSettings;
  readonly #scheme: StreamScheme;
  readonly #peers = new Map<string, Connection>();
  // Peers whose chunk is to be looked at, the next one first.
  readonly #ready: Connection[] = [];
  // Peers with a chunk that do not take what is sent to them.
  readonly #behind = new Set<Connection>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #closedBy = noClosings();
  readonly #losses: Losses = noLosses();
  readonly #shared: Shared;
  readonly #sweep: Disposable;
  #waiting:
    | (PromiseWithResolvers<Arrival> & { into: Uint8Array<ArrayBuffer> })
    | undefined;
  #unreferenced = false;
  #closed = false;

  constructor(
    listener: Listener,
    options: StreamSettings,
    scheme: StreamScheme,
  ) {
    this.#listener = listener;
    this.#options = options;
    this.#scheme = scheme;
    this.addr = streamAddr(listener.addr, scheme);
    this.maxReceive = options.maxMessage;
    this.#shared = {
      isListening: true,
      options,
      backlogs: new Backlogs(options.maxMessage),
      losses: this.#losses,
      onBroken: (peer) => this.#break(peer),
      onRelieved: (peer) => this.#resume(peer),
      onOverflow: (peer) => this.#closeFor(peer, "unread"),
    };
    const { idleMs, messageMs, handshakeMs, sendMs, replyMs } = options;
    const limits = [idleMs, messageMs, handshakeMs, sendMs, LINGER_MS];
    if (replyMs > 0) limits.push(replyMs);
    this.#sweep = sweep(limits, (now) => this.#closeLate(now));
    // Only a pending receive keeps the program running.
    listener.unref();
    this.#acceptor = new Acceptor(listener, {
      accepted: (conn) => this.#admit(conn),
      reset: () => this.#closedBy.reset++,
      failed: () => this.#closedBy.acceptFailed++,
    });
    this.#run(this.#acceptor.done);
  }

  receive(
    into: Uint8Array<ArrayBuffer> = new Uint8Array(this.maxReceive),
  ): Promise<Arrival> {
    if (this.#closed) {
      return Promise.reject(new errors.BadResource("closed"));
    }
    const arrival = this.#next(into);
    if (arrival !== undefined) return Promise.resolve(arrival);
    this.#waiting = { ...Promise.withResolvers<Arrival>(), into };
    if (!this.#unreferenced) this.#listener.ref();
    return this.#waiting.promise;
  }

  async send(message: Uint8Array, to: NetAddr): Promise<number> {
    if (this.#closed) throw new errors.BadResource("closed");
    const peer = this.#peers.get(peerKey(to));
    if (peer === undefined) {
      throw new errors.NotConnected(
        "that peer is not connected; a bound TCP socket can only send to connected peers",
      );
    }
    const rest = peer.enqueue(message);
    // Usually there is none. Each `await` would let further sends wait in line.
    if (rest !== undefined) await rest;
    return message.length;
  }

  maxSize(): number {
    return this.#options.maxMessage;
  }

  drops(): Record<string, number> {
    return { ...this.#losses };
  }

  connections(): Record<string, number> {
    return { ...this.#closedBy };
  }

  ref(): void {
    this.#unreferenced = false;
    if (this.#waiting !== undefined && !this.#closed) this.#listener.ref();
  }

  unref(): void {
    this.#unreferenced = true;
    if (!this.#closed) this.#listener.unref();
  }

  close(): void {
    this.#stop();
    for (const peer of this.#peers.values()) peer.close();
    this.#discard();
    this.#sweep[Symbol.dispose]();
    this.#settled();
  }

  async end(): Promise<void> {
    this.#stop();
    await Promise.all(
      Array.from(this.#peers.values(), (peer) => peer.end(false)),
    );
    this.#discard();
    this.#sweep[Symbol.dispose]();
    await this.#settled();
  }

  #stop(): void {
    // `close` may cut `end` short.
    if (this.#closed) return;
    this.#closed = true;
    // Pending operations must end before the program does.
    this.#listener.ref();
    for (const peer of this.#peers.values()) peer.ref();
    this.#acceptor.close();
  }

  /** Rejects the pending `receive` when no other operation is pending. */
  async #settled(): Promise<void> {
    await Promise.all(this.#tasks);
    // The system has the port back only after that.
    await round();
    this.#peers.clear();
    this.#waiting?.reject(new errors.Interrupted("closed"));
    this.#waiting = undefined;
  }

  #run(task: Promise<void>): void {
    const done = task.finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  #admit(conn: Deno.Conn<Deno.NetAddr>): void {
    const { maxPeers } = this.#options;
    if (this.#peers.size >= maxPeers && !this.#makeRoom()) {
      this.#closedBy.tooManyPeers++;
      return conn.close();
    }
    const from = streamAddr(conn.remoteAddr, this.#scheme);
    sendAtOnce(conn);
    const peer = new Connection(conn, from, this.#shared);
    peer.unref();
    this.#peers.set(peerKey(from), peer);
    this.#run(this.#begin(peer));
  }

  /** Closes a connection that waits for its last replies, or has not begun. */
  #makeRoom(): boolean {
    const peers = () => this.#peers.values();
    const waiting = peers().find((peer) => peer.awaitsReplies);
    if (waiting !== undefined) {
      this.#remove(waiting);
      return true;
    }
    const shaking = peers().find((peer) => peer.isShakingHands);
    if (shaking !== undefined) this.#closeFor(shaking, "handshake");
    return shaking !== undefined;
  }

  async #begin(peer: Connection): Promise<void> {
    try {
      await peer.shakeHands();
    } catch {
      // A handshake that took too long has been counted.
      if (!peer.closed) this.#closedBy.handshake++;
      return this.#remove(peer);
    }
    await this.#read(peer);
  }

  async #read(peer: Connection): Promise<void> {
    try {
      await peer.read();
    } catch {
      peer.cut();
      return this.#break(peer);
    }
    if (this.#closed) return peer.discard();
    this.#ready.push(peer);
    this.#deliver();
  }

  /** Takes up a peer again that was behind, if it has a chunk. */
  #resume(peer: Connection): void {
    if (!this.#behind.delete(peer) || this.#closed) return;
    this.#ready.push(peer);
    this.#deliver();
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const arrival = this.#next(this.#waiting.into);
    if (arrival === undefined) return;
    this.#listener.unref();
    this.#waiting.resolve(arrival);
    this.#waiting = undefined;
  }

  /** Takes a message that has arrived. Peers that have none are read from. */
  #next(into: Uint8Array<ArrayBuffer>): Arrival | undefined {
    for (let peer; (peer = this.#ready.shift()) !== undefined;) {
      if (peer.isBehind) {
        this.#behind.add(peer);
        continue;
      }
      const size = peer.next(into);
      if (size !== undefined) {
        this.#ready.push(peer);
        return [into.subarray(0, size), peer.from];
      }
      if (peer.malformed) {
        peer.cut();
        this.#closeFor(peer, "malformed");
      } else if (!peer.ended) this.#run(this.#read(peer));
      else {
        peer.cut();
        peer.awaitReplies();
        if (peer.isDone(performance.now())) this.#remove(peer);
      }
    }
    return undefined;
  }

  /** Closes connections that have exceeded a limit, or are done. */
  #closeLate(now: number): void {
    for (const peer of this.#peers.values()) {
      const lateness = peer.lateness(now);
      if (lateness !== undefined) this.#closeFor(peer, lateness);
      else if (peer.isDone(now)) this.#remove(peer);
    }
  }

  #closeFor(peer: Connection, fault: Fault): void {
    this.#closedBy[fault]++;
    this.#remove(peer, fault);
  }

  /** Removes a peer whose connection failed: what was on its way is lost. */
  #break(peer: Connection): void {
    const isOurs = this.#peers.get(peerKey(peer.from)) === peer;
    if (isOurs && !this.#closed) this.#closedBy.broken++;
    this.#remove(peer);
  }

  #remove(peer: Connection, fault?: Fault): void {
    peer.close(fault);
    const key = peerKey(peer.from);
    if (this.#peers.get(key) === peer) this.#peers.delete(key);
    // Its messages that have arrived are still delivered.
    this.#resume(peer);
  }

  /** Drops the messages of all peers that have arrived, and counts them. */
  #discard(): void {
    for (const peer of [...this.#ready, ...this.#behind]) peer.discard();
    this.#ready.length = 0;
    this.#behind.clear();
  }
}

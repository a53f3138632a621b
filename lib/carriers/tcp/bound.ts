import { errors } from "../../errors.ts";
import type { Addr, NetAddr, SchemeAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { Connection, type Lateness } from "./connection.ts";
import type { TcpOptions } from "./limits.ts";
import { sweep } from "./sweep.ts";

// After an error, such as too many open files, so that one that stays makes no
// busy loop. Who connects meanwhile waits in the system's queue.
const PAUSE_MS = 100;

type Reason = Lateness | "tooManyPeers" | "incomplete" | "notAccepted";
type Arrival = [Uint8Array<ArrayBuffer>, Addr];

/**
 * Many connections as one carrier. Nothing is read ahead but one chunk of each
 * connection: while nobody receives, TCP makes the peers wait. Of those that
 * have sent something each is served in turn, one message at a time.
 */
export class BoundCarrier implements Carrier {
  readonly addr: SchemeAddr;
  readonly #listener: Deno.Listener;
  readonly #options: Required<TcpOptions>;
  readonly #peers = new Map<string, Connection>();
  // Those with something to look at, next first.
  readonly #ready: Connection[] = [];
  readonly #tasks = new Set<Promise<void>>();
  readonly #dropped: Record<Reason, number> = {
    tooManyPeers: 0,
    idle: 0,
    slow: 0,
    unread: 0,
    incomplete: 0,
    handshake: 0,
    notAccepted: 0,
  };
  readonly #sweep: Disposable;
  #waiting:
    | (PromiseWithResolvers<Arrival> & { into: Uint8Array<ArrayBuffer> })
    | undefined;
  #unreferenced = false;
  #closed = false;
  #endPause = () => {};

  /** @param scheme What addresses begin with, where it is not `tcp`. */
  constructor(
    listener: Deno.Listener,
    options: Required<TcpOptions>,
    scheme?: "tls",
  ) {
    this.#listener = listener;
    this.#options = options;
    this.addr = addressOf(listener.addr, scheme);
    const { idleMs, messageMs, sendMs } = options;
    this.#sweep = sweep([idleMs, messageMs, sendMs], (now) => this.#look(now));
    // Only a receive that waits keeps the program running.
    listener.unref();
    this.#run(this.#accept());
  }

  receive(
    into: Uint8Array = new Uint8Array(65_536),
  ): Promise<Arrival> {
    if (this.#closed) {
      return Promise.reject(new errors.BadResource("closed"));
    }
    const buffer = into as Uint8Array<ArrayBuffer>;
    const arrival = this.#next(buffer);
    if (arrival !== undefined) return Promise.resolve(arrival);
    this.#waiting = { ...Promise.withResolvers<Arrival>(), into: buffer };
    if (!this.#unreferenced) this.#listener.ref();
    return this.#waiting.promise;
  }

  async send(message: Uint8Array, to: Addr): Promise<number> {
    if (this.#closed) throw new errors.BadResource("closed");
    const peer = this.#peers.get(keyOf(to));
    if (peer === undefined) {
      throw new errors.NotConnected(
        "there is no connection from there; a bound socket answers those that connected to it",
      );
    }
    try {
      await peer.write(message);
    } catch (error) {
      // Part of a message may be out, so nothing can follow.
      if (!(error instanceof TypeError)) this.#forget(peer);
      throw error;
    }
    return message.length;
  }

  maxSize(): number {
    return this.#options.maxMessage;
  }

  drops(): Record<string, number> {
    return { ...this.#dropped };
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
    this.#sweep[Symbol.dispose]();
    this.#settled();
  }

  async end(): Promise<void> {
    this.#stop();
    await Promise.all(
      Array.from(this.#peers.values(), (peer) => peer.end(false)),
    );
    this.#sweep[Symbol.dispose]();
    await this.#settled();
  }

  #stop(): void {
    this.#closed = true;
    // What is under way must end before the program does.
    this.#listener.ref();
    for (const peer of this.#peers.values()) peer.ref();
    this.#listener.close();
    this.#endPause();
  }

  /** Lets go of who waits when no operation is under way any more. */
  async #settled(): Promise<void> {
    await Promise.all(this.#tasks);
    this.#peers.clear();
    this.#waiting?.reject(new errors.Interrupted("closed"));
    this.#waiting = undefined;
  }

  #run(task: Promise<void>): void {
    const done = task.finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#admit(await this.#listener.accept());
      } catch {
        if (this.#closed) return;
        this.#dropped.notAccepted++;
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    let timer;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PAUSE_MS);
      this.#endPause = resolve;
    });
    clearTimeout(timer);
  }

  #admit(conn: Deno.Conn): void {
    const { maxPeers } = this.#options;
    if (this.#peers.size >= maxPeers) {
      const spent = this.#peers.values().find((peer) => peer.spentAt);
      if (spent === undefined) {
        this.#dropped.tooManyPeers++;
        return conn.close();
      }
      this.#forget(spent);
    }
    const from = addressOf(conn.remoteAddr, this.addr.scheme);
    const peer = new Connection(conn, from, this.#options);
    peer.unref();
    this.#peers.set(keyOf(from), peer);
    this.#run(this.#begin(peer));
  }

  async #begin(peer: Connection): Promise<void> {
    try {
      await peer.shakeHands();
    } catch {
      // One that took too long is counted already.
      if (!peer.closed) this.#dropped.handshake++;
      return this.#forget(peer);
    }
    await this.#read(peer);
  }

  async #read(peer: Connection): Promise<void> {
    if (peer.closed) return;
    try {
      await peer.read();
    } catch {
      if (!peer.closed && peer.partial) this.#dropped.incomplete++;
      return this.#forget(peer);
    }
    if (this.#closed) return;
    this.#ready.push(peer);
    if (this.#waiting === undefined) return;
    const arrival = this.#next(this.#waiting.into);
    if (arrival === undefined) return;
    this.#listener.unref();
    this.#waiting.resolve(arrival);
    this.#waiting = undefined;
  }

  /** The next message that is here. Peers that have none are read again. */
  #next(into: Uint8Array<ArrayBuffer>): Arrival | undefined {
    for (let peer; (peer = this.#ready.shift()) !== undefined;) {
      const size = peer.next(into);
      if (size !== undefined) {
        this.#ready.push(peer);
        return [into.subarray(0, size), peer.from];
      }
      if (peer.ended) {
        peer.spentAt = performance.now();
        if (peer.partial) this.#dropped.incomplete++;
      } else this.#run(this.#read(peer));
    }
  }

  /** Closes the connections that are late. */
  #look(now: number): void {
    for (const peer of this.#peers.values()) {
      const lateness = peer.lateness(now);
      if (lateness !== undefined) {
        this.#dropped[lateness]++;
        this.#forget(peer, lateness);
      } else if (peer.spentAt && now - peer.spentAt > this.#options.sendMs) {
        this.#forget(peer);
      }
    }
  }

  #forget(peer: Connection, lateness?: Lateness): void {
    peer.close(lateness);
    const key = keyOf(peer.from);
    if (this.#peers.get(key) === peer) this.#peers.delete(key);
  }
}

/** As a plain object. */
export function addressOf(
  address: Addr,
  scheme?: SchemeAddr["scheme"],
): SchemeAddr {
  const { hostname, port } = address as NetAddr;
  const addr: SchemeAddr = { transport: "tcp", hostname, port };
  return scheme === undefined ? addr : { ...addr, scheme };
}

function keyOf(address: Addr): string {
  const { hostname, port } = address as NetAddr;
  return `${hostname} ${port}`;
}

import type { Addr, NetAddr } from "../../addr.ts";
import { comparableHost, isIp } from "../../address/host.ts";
import { turnCount } from "../../turns.ts";
import type { Libc } from "./libc.ts";
import { NetPermission } from "./permissions.ts";
import { encodeAddress, type Sockaddr } from "./sockaddr.ts";

const MAX_PEERS = 4096;
// A query costs 2 µs and makes garbage, so a loop that asks the same more often
// than this, without a turn of the event loop, takes the answer for the rest of
// the turn: 2 ms at most.
const ASKED_PER_TURN = 4;

/** What became of a peer's address. */
export type Peer =
  /**
   * The program may send there. The `sockaddr` is `null` if the socket is
   * connected.
   */
  | { readonly kind: "address"; readonly sockaddr: Sockaddr | null }
  /** Its host is a name that has to be looked up first. */
  | { readonly kind: "name" }
  /** Nothing can be sent to it. */
  | { readonly kind: "refused"; readonly error: unknown };

/**
 * The peers that a socket sends to. A permission can be revoked at any time, so
 * each send asks for it again.
 */
export interface Peers {
  /** Begins a send of one or many messages. */
  begin(): void;
  /** Returns the same object for equal addresses, until the next send. */
  find(to: Addr): Peer;
}

const NAME: Peer = { kind: "name" };

/** The many peers of a bound socket. Each address is encoded once. */
export class ManyPeers implements Peers {
  readonly #libc: Libc;
  readonly #family: 4 | 6;
  // By host and port. When they are too many, all are forgotten.
  readonly #hosts = new Map<string, Map<number, KnownPeer>>();
  #count = 0;
  // One query instead of one per peer, if the program may send to all.
  readonly #all = NetPermission.isForAll
    ? new Asked(() => NetPermission.isForAll)
    : undefined;
  #call = 0;
  #turn = 0;
  #last: KnownPeer | undefined;
  #lastHost = "";
  #lastPort = 0;

  /** @param family Of the socket. An IPv4 one cannot use `::ffff:a.b.c.d`. */
  constructor(libc: Libc, family: 4 | 6) {
    this.#libc = libc;
    this.#family = family;
  }

  begin(): void {
    this.#call++;
    this.#turn = turnCount();
  }

  find(to: Addr): Peer {
    const { hostname, port } = to as NetAddr;
    // Most sends go to the peer of the one before. The objects are compared by
    // value: the program may have changed one.
    if (
      this.#last === undefined || port !== this.#lastPort ||
      hostname !== this.#lastHost
    ) {
      const known = this.#hosts.get(hostname)?.get(port);
      if (known === undefined && !isIp(hostname)) return NAME;
      try {
        this.#last = known ?? this.#add(hostname, port);
      } catch (error) {
        return { kind: "refused", error };
      }
      this.#lastHost = hostname;
      this.#lastPort = port;
    }
    const isForAll = this.#all?.isGranted(this.#call, this.#turn) === true;
    return isForAll
      ? this.#last.address
      : this.#last.at(this.#call, this.#turn);
  }

  #add(host: string, port: number): KnownPeer {
    const hostname = this.#family === 4 ? comparableHost(host) : host;
    const address: NetAddr = { transport: "udp", hostname, port };
    const sockaddr = encodeAddress(this.#libc, address);
    const peer = new KnownPeer(hostname, port, sockaddr);
    if (this.#count >= MAX_PEERS) {
      this.#hosts.clear();
      this.#count = 0;
    }
    this.#count++;
    let ports = this.#hosts.get(host);
    if (ports === undefined) this.#hosts.set(host, ports = new Map());
    ports.set(port, peer);
    return peer;
  }
}

/** The one peer of a connected socket. */
export class OnePeer implements Peers {
  readonly #peer: KnownPeer;
  #call = 0;

  constructor({ hostname, port }: NetAddr) {
    this.#peer = new KnownPeer(hostname, port, null);
  }

  begin(): void {
    this.#call++;
  }

  find(): Peer {
    return this.#peer.at(this.#call, turnCount());
  }
}

/** A peer, and whether the program may send to it. */
class KnownPeer {
  readonly address: Peer;
  readonly #permission: NetPermission;
  readonly #asked: Asked;

  constructor(hostname: string, port: number, sockaddr: Sockaddr | null) {
    this.address = { kind: "address", sockaddr };
    this.#permission = new NetPermission(hostname, port);
    this.#asked = new Asked(() => this.#permission.isGranted);
  }

  at(call: number, turn: number): Peer {
    if (this.#asked.isGranted(call, turn)) return this.address;
    return { kind: "refused", error: this.#permission.error };
  }
}

/** A permission that is asked at most once per call, and a few times per turn. */
class Asked {
  readonly #ask: () => boolean;
  #isGranted = false;
  #call = -1;
  #turn = -1;
  #asked = 0;

  constructor(ask: () => boolean) {
    this.#ask = ask;
  }

  isGranted(call: number, turn: number): boolean {
    if (call === this.#call) return this.#isGranted;
    this.#call = call;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#asked = 0;
    }
    if (this.#asked < ASKED_PER_TURN) {
      this.#asked++;
      this.#isGranted = this.#ask();
    }
    return this.#isGranted;
  }
}

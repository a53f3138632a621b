import type { Addr, NetAddr } from "../../addr.ts";
import { comparableHost, isIp } from "../../address/host.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import { turnCount } from "../../turns.ts";
import type { Libc } from "./libc.ts";
import { NetPermission } from "./permissions.ts";
import { encodeAddress, type Sockaddr } from "./sockaddr.ts";

const MAX_PEERS = 4096;
// A query costs 2 µs and makes garbage, so a loop that sends more often than this
// to a peer, without a turn of the event loop, takes the answer for the rest of
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
  readonly #known: BoundedMap<KnownPeer>;
  #call = 0;
  #last: KnownPeer | undefined;
  #lastHost = "";
  #lastPort = 0;

  /** @param family Of the socket. An IPv4 one cannot use `::ffff:a.b.c.d`. */
  constructor(libc: Libc, family: 4 | 6) {
    this.#known = new BoundedMap((peer) => {
      const [host = "", text] = peer.split(" ", 2);
      const hostname = family === 4 ? comparableHost(host) : host;
      const port = Number(text);
      const address: NetAddr = { transport: "udp", hostname, port };
      return new KnownPeer(hostname, port, encodeAddress(libc, address));
    }, MAX_PEERS);
  }

  begin(): void {
    this.#call++;
  }

  find(to: Addr): Peer {
    const { hostname, port } = to as NetAddr;
    // Most sends go to the peer of the one before. The objects are compared by
    // value: the program may have changed one.
    if (
      this.#last === undefined || port !== this.#lastPort ||
      hostname !== this.#lastHost
    ) {
      if (!isIp(hostname)) return NAME;
      try {
        this.#last = this.#known.get(`${hostname} ${port}`);
      } catch (error) {
        return { kind: "refused", error };
      }
      this.#lastHost = hostname;
      this.#lastPort = port;
    }
    return this.#last.at(this.#call, turnCount());
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
  readonly #address: Peer;
  readonly #permission: NetPermission;
  #peer: Peer;
  #call = -1;
  #turn = -1;
  #asked = 0;

  constructor(hostname: string, port: number, sockaddr: Sockaddr | null) {
    this.#address = this.#peer = { kind: "address", sockaddr };
    this.#permission = new NetPermission(hostname, port);
  }

  /** Asks at most once per call, and not for each call of a fast loop. */
  at(call: number, turn: number): Peer {
    if (call === this.#call) return this.#peer;
    this.#call = call;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#asked = 0;
    }
    if (this.#asked < ASKED_PER_TURN) {
      this.#asked++;
      this.#peer = this.#permission.isGranted
        ? this.#address
        : { kind: "refused", error: this.#permission.error };
    }
    return this.#peer;
  }
}

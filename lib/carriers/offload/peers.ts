import type { Addr, NetAddr } from "../../addr.ts";
import { comparableHost, isIp } from "../../address/host.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import type { Libc } from "./libc.ts";
import { NetPermission } from "./permissions.ts";
import { encodeAddress, type Sockaddr } from "./sockaddr.ts";

const MAX_PEERS = 4096;

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
 * it is asked for again after each `renew`.
 */
export interface Peers {
  /** Forgets to which peers the program may send. */
  renew(): void;
  /** Returns the same object for equal addresses, until the next `renew`. */
  find(to: Addr): Peer;
}

const NAME: Peer = { kind: "name" };

/** The many peers of a bound socket. Each address is encoded once. */
export class ManyPeers implements Peers {
  readonly #known: BoundedMap<KnownPeer>;
  #turn = 0;
  #last: KnownPeer | undefined;
  #lastHost = "";
  #lastPort = 0;

  /** @param family Of the socket. An IPv4 one cannot use `::ffff:a.b.c.d`. */
  constructor(libc: Libc, family: 4 | 6) {
    this.#known = new BoundedMap((peer) => {
      const [host, text] = peer.split(" ", 2);
      const hostname = family === 4 ? comparableHost(host) : host;
      const port = Number(text);
      const address: NetAddr = { transport: "udp", hostname, port };
      return new KnownPeer(hostname, port, encodeAddress(libc, address));
    }, MAX_PEERS);
  }

  renew(): void {
    this.#turn++;
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
    return this.#last.at(this.#turn);
  }
}

/** The one peer of a connected socket. */
export class OnePeer implements Peers {
  readonly #peer: KnownPeer;
  #turn = 0;

  constructor({ hostname, port }: NetAddr) {
    this.#peer = new KnownPeer(hostname, port, null);
  }

  renew(): void {
    this.#turn++;
  }

  find(): Peer {
    return this.#peer.at(this.#turn);
  }
}

/** A peer, and whether the program may send to it. */
class KnownPeer {
  readonly #address: Peer;
  readonly #permission: NetPermission;
  #peer: Peer;
  #asked = -1;

  constructor(hostname: string, port: number, sockaddr: Sockaddr | null) {
    this.#address = this.#peer = { kind: "address", sockaddr };
    this.#permission = new NetPermission(hostname, port);
  }

  /** Asks at most once per turn. */
  at(turn: number): Peer {
    if (this.#asked !== turn) {
      this.#asked = turn;
      this.#peer = this.#permission.isGranted
        ? this.#address
        : { kind: "refused", error: this.#permission.error };
    }
    return this.#peer;
  }
}

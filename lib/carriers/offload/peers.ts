import type { Addr, NetAddr } from "../../addr.ts";
import { isIp } from "../../address/host.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import type { Libc } from "./libc.ts";
import { isNetAllowed, notAllowed } from "./permissions.ts";
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
 * it is asked for again after each `renew`: a query costs 2 µs.
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
  readonly #encoded: BoundedMap<Sockaddr>;
  readonly #found = new Map<Sockaddr, Peer>();
  #last: Peer | undefined;
  #lastHost = "";
  #lastPort = 0;

  constructor(libc: Libc) {
    this.#encoded = new BoundedMap((peer) => {
      const [hostname, port] = peer.split(" ", 2);
      return encodeAddress(libc, {
        transport: "udp",
        hostname,
        port: Number(port),
      });
    }, MAX_PEERS);
  }

  renew(): void {
    this.#found.clear();
    this.#last = undefined;
  }

  find(to: Addr): Peer {
    const { hostname, port } = to as NetAddr;
    // Most sends go to the peer of the one before. The objects are compared by
    // value: the program may have changed one.
    if (
      this.#last === undefined || port !== this.#lastPort ||
      hostname !== this.#lastHost
    ) {
      this.#last = this.#find(hostname, port);
      this.#lastHost = hostname;
      this.#lastPort = port;
    }
    return this.#last;
  }

  #find(hostname: string, port: number): Peer {
    if (!isIp(hostname)) return NAME;
    try {
      const sockaddr = this.#encoded.get(`${hostname} ${port}`);
      const known = this.#found.get(sockaddr);
      if (known !== undefined) return known;
      const peer = allowed(hostname, port, sockaddr);
      this.#found.set(sockaddr, peer);
      return peer;
    } catch (error) {
      return { kind: "refused", error };
    }
  }
}

/** The one peer of a connected socket. */
export class OnePeer implements Peers {
  readonly #remote: NetAddr;
  #found: Peer | undefined;

  constructor(remote: NetAddr) {
    this.#remote = remote;
  }

  renew(): void {
    this.#found = undefined;
  }

  find(): Peer {
    const { hostname, port } = this.#remote;
    return this.#found ??= allowed(hostname, port, null);
  }
}

function allowed(
  hostname: string,
  port: number,
  sockaddr: Sockaddr | null,
): Peer {
  return isNetAllowed(hostname, port)
    ? { kind: "address", sockaddr }
    : { kind: "refused", error: notAllowed(hostname, port) };
}

import type { Addr, NetAddr } from "../../addr.ts";
import { isIp } from "../../address/host.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import type { Libc } from "./libc.ts";
import { encodeAddress } from "./sockaddr.ts";
import { requireNet } from "./system.ts";

const MAX_PEERS = 4096;

/** An address as the system takes it: a `sockaddr`. */
export type Sockaddr = Uint8Array<ArrayBuffer>;

/** What became of a peer's address. */
export type Peer =
  /** It is an IP address to which the program may send. */
  | { readonly kind: "address"; readonly sockaddr: Sockaddr }
  /** Its host is a name that has to be looked up first. */
  | { readonly kind: "name" }
  /** Nothing can be sent to it. */
  | { readonly kind: "refused"; readonly error: unknown };

const NAME: Peer = { kind: "name" };

/** The addresses that a socket sends to, each encoded once. */
export class SocketAddresses {
  readonly #known: BoundedMap<Peer>;
  #last: Peer = NAME;
  #lastHost = "";
  #lastPort = 0;

  constructor(libc: Libc) {
    this.#known = new BoundedMap((peer) => {
      const [hostname, port] = peer.split(" ", 2);
      return encode(libc, hostname, Number(port));
    }, MAX_PEERS);
  }

  /** Equal addresses give the same object. */
  find(to: Addr): Peer {
    const { hostname, port } = to as NetAddr;
    // Most sends go to the peer of the one before.
    if (port !== this.#lastPort || hostname !== this.#lastHost) {
      this.#last = this.#known.get(`${hostname} ${port}`);
      this.#lastHost = hostname;
      this.#lastPort = port;
    }
    return this.#last;
  }

  /** The peer's `sockaddr`, if nothing has to be done to get it. */
  sockaddr(to: Addr): Sockaddr | undefined {
    const peer = this.find(to);
    return peer.kind === "address" ? peer.sockaddr : undefined;
  }
}

function encode(libc: Libc, hostname: string, port: number): Peer {
  if (!isIp(hostname)) return NAME;
  try {
    requireNet(hostname, port);
    const sockaddr = encodeAddress(libc, { transport: "udp", hostname, port });
    return { kind: "address", sockaddr };
  } catch (error) {
    return { kind: "refused", error };
  }
}

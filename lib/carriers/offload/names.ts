import type { Addr, NetAddr } from "../../addr.ts";
import { isIp } from "../../address/host.ts";
import { BoundedMap } from "../../limits/bounded_map.ts";
import type { Libc } from "./libc.ts";
import { encodeAddress } from "./socket_address.ts";
import { requireNet } from "./system.ts";

const MAX_PEERS = 4096;

/** An address as the system takes it (its `msg_name`), or why there is none. */
export type Name = Uint8Array<ArrayBuffer> | Error;

/** The names of those to whom a socket sends: encoded once, allowed once. */
export class Names {
  readonly #known: BoundedMap<Name>;
  #last: Addr | undefined;
  #lastName: Name = new Error("no peer");

  constructor(libc: Libc) {
    this.#known = new BoundedMap((peer) => {
      const [hostname, port] = peer.split(" ", 2);
      return encode(libc, hostname, Number(port));
    }, MAX_PEERS);
  }

  /** The same object for the same peer. */
  get(peer: Addr): Name {
    // Carriers and senders give the same object again and again.
    if (peer === this.#last) return this.#lastName;
    const { hostname, port } = peer as NetAddr;
    this.#lastName = this.#known.get(`${hostname} ${port}`);
    this.#last = peer;
    return this.#lastName;
  }
}

function encode(libc: Libc, hostname: string, port: number): Name {
  if (!isIp(hostname)) return new Error("a name, to be looked up");
  try {
    requireNet(hostname, port);
    return encodeAddress(libc, { transport: "udp", hostname, port });
  } catch (error) {
    return error as Error;
  }
}

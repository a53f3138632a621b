import type { NetAddr } from "../addr.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import type { ListenOptions } from "../control.ts";
import type { Lookup, SocketType } from "./types.ts";

/** What sockets of the facade stand on: real carriers, or a simulated network. */
export interface Ground {
  /**
   * Opens a carrier at an IP address.
   *
   * @param source The carrier that the program has chosen.
   * @throws What the system reports.
   */
  open(
    address: NetAddr,
    options: ListenOptions,
    source: CarrierSource | undefined,
  ): Carrier;
  /** Returns what looks up hosts, for a socket that is made now. */
  lookup(): Lookup;
  /** Returns the own host's address, for a peer that names no host. */
  localhost(type: SocketType): string;
}

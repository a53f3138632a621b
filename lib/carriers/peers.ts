import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { comparableHost, isLoopback } from "../address/host.ts";
import { manyAt } from "../address/peer.ts";
import { InvalidAddressError } from "../errors.ts";

/** Returns the narrowest local address from which the peer can be reached. */
export function localHostFor(host: string): string {
  if (host.includes(":")) return host === "::1" ? "::1" : "::";
  return isLoopback(host) ? "127.0.0.1" : "0.0.0.0";
}

/**
 * Rejects addresses that stand for many peers, or for none: a connected socket
 * needs a single one.
 *
 * @param given The address as the program gave it.
 * @throws {InvalidAddressError} The host is unspecified, multicast or broadcast.
 */
export function refuseMany(host: string, given: Addr): void {
  const plain = comparableHost(host);
  const kind = manyAt(plain);
  if (kind === undefined) return;
  throw new InvalidAddressError(
    formatAddress(given),
    `${plain} is ${kind}; connect needs a single peer. To send to it, bind a socket`,
  );
}

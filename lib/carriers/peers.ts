import type { Addr, NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { comparableHost, isLoopback, isMulticast } from "../address/host.ts";
import { InvalidAddressError } from "../errors.ts";

/** Returns the narrowest local address from which the peer can be reached. */
export function localHostFor(host: string): string {
  if (host.includes(":")) return host === "::1" ? "::1" : "::";
  return isLoopback(host) ? "127.0.0.1" : "0.0.0.0";
}

/** Whether a socket that is bound to this host has all addresses of its machine. */
export function isUnspecified(host: string): boolean {
  const plain = comparableHost(host);
  return plain === "0.0.0.0" || plain === "::";
}

/** Returns what distinguishes a peer from all others of a carrier. */
export function peerKey({ hostname, port }: NetAddr): string {
  return `${comparableHost(hostname)} ${port}`;
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
  const kind = isUnspecified(plain)
    ? "the unspecified address"
    : plain === "255.255.255.255" || plain === "127.255.255.255"
    ? "a broadcast address"
    : isMulticast(plain)
    ? "a multicast group"
    : undefined;
  if (kind === undefined) return;
  throw new InvalidAddressError(
    formatAddress(given),
    `${plain} is ${kind}; connect needs a single peer. To send to it, bind a socket`,
  );
}

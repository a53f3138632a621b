import type { Addr, NetAddr } from "../addr.ts";
import { comparableHost, isMulticast } from "./host.ts";

/** Returns what distinguishes a peer from all others of a carrier. */
export function peerKey({ hostname, port }: NetAddr): string {
  return `${comparableHost(hostname)} ${port}`;
}

/** Returns the same for an address of any kind: a path, if it has no host. */
export function anyPeerKey(address: Addr): string {
  if ("hostname" in address) return peerKey(address);
  return "path" in address ? address.path ?? "" : `${address.cid}`;
}

/** Whether a socket that is bound to this host has all addresses of its machine. */
export function isUnspecified(host: string): boolean {
  const plain = comparableHost(host);
  return plain === "0.0.0.0" || plain === "::";
}

/**
 * Returns what a host stands for if it is many peers, or none: "a multicast
 * group", for example. The broadcast address of a subnet looks like any other.
 */
export function manyAt(host: string): string | undefined {
  const plain = comparableHost(host);
  return isUnspecified(plain)
    ? "the unspecified address"
    : plain === "255.255.255.255" || plain === "127.255.255.255"
    ? "a broadcast address"
    : isMulticast(plain)
    ? "a multicast group"
    : undefined;
}

import type { NetAddr } from "../addr.ts";
import { canonicalIpv6, comparableHost } from "../address/host.ts";
import { failure, systemFailure } from "./failures.ts";
import type { AddressInfo, BindOptions, SocketOptions } from "./types.ts";

/** Reads the arguments of `bind`. */
export function localOf([first, second]: unknown[]): BindOptions {
  if (typeof first === "object" && first !== null) {
    const { port, address, fd } = first as BindOptions;
    if (fd !== undefined) throw systemFailure("bind", "ENOTSUP");
    return { port, address };
  }
  return {
    port: typeof first === "function" ? 0 : first as number | undefined,
    address: typeof second === "function"
      ? undefined
      : second as string | undefined,
  };
}

/** Returns an address in the form of Node. */
export function addressInfo({ hostname: address, port }: NetAddr): AddressInfo {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  return { address, family, port };
}

/** Whether a datagram is from the peer that a socket is connected to. */
export function isFrom(peer: NetAddr, from: NetAddr): boolean {
  if (peer.port !== from.port) return false;
  return peer.hostname === from.hostname ||
    comparable(peer.hostname) === comparable(from.hostname);
}

function comparable(host: string): string {
  const plain = comparableHost(host);
  return canonicalIpv6(plain) ?? plain;
}

/** The error for a peer that the program has blocked. */
export function blocked(
  list: SocketOptions["sendBlockList"],
  ip: string,
): Error | undefined {
  if (!list?.check(ip, ip.includes(":") ? "ipv6" : "ipv4")) return undefined;
  return failure("ERR_IP_BLOCKED", `IP(${ip}) is blocked by net.BlockList`);
}

import type { NetAddr } from "../addr.ts";
import { requireScheme, toAddress } from "../address/address.ts";
import { canonicalIpv6, comparableHost } from "../address/host.ts";
import { shown } from "../check.ts";
import {
  InvalidAddressError,
  type OperationFields,
  withFields,
} from "../errors.ts";

/** A host of a simulated network with all its ports, or with one. */
export interface Place {
  /** As {@linkcode simulatedHost} returns them; `localhost` has two. */
  readonly hosts: readonly string[];
  /** `undefined` for all ports. */
  readonly port: number | undefined;
}

/**
 * Returns the form in which a simulated network compares hosts: IPv6 as in RFC
 * 5952 and without a zone, IPv4-mapped addresses as IPv4, names in lower case.
 *
 * @param peer An address of the family in which `localhost` is looked up.
 */
export function simulatedHost(hostname: string, peer: string): string {
  const host = hostname.toLowerCase().split("%", 1)[0] ?? "";
  if (host === "localhost") return peer.includes(":") ? "::1" : "127.0.0.1";
  return comparableHost(canonicalIpv6(host) ?? host);
}

/**
 * Reads a place: `10.0.0.1`, `10.0.0.1:53`, `2001:db8::1`, `[2001:db8::1]:53`,
 * `localhost`, each also after `udp://`.
 *
 * @param operation What it is given to, for the error.
 * @throws {InvalidAddressError} It is not a place, or no socket of a simulated
 * network can have it as its address.
 */
export function toPlace(text: string, operation: string): Place {
  const fields = { operation };
  const { hostname, port } = parse(text, fields);
  const hosts = [
    ...new Set(
      ["127.0.0.1", "::1"].map((peer) => simulatedHost(hostname, peer)),
    ),
  ];
  if (port === 0 || hosts.includes("0.0.0.0") || hosts.includes("::")) {
    throw invalid(text, "no socket of a simulated network has it", fields);
  }
  return { hosts, port };
}

/** Whether a place includes another, or an address. */
export function includes(outer: Place, inner: Place | NetAddr): boolean {
  const hosts = "hosts" in inner ? inner.hosts : [inner.hostname];
  return hosts.every((host) => outer.hosts.includes(host)) &&
    (outer.port === undefined || outer.port === inner.port);
}

function parse(
  text: string,
  fields: OperationFields,
): { hostname: string; port?: number } {
  if (typeof text !== "string") {
    throw invalid(shown(text), "give text, as 10.0.0.1:53", fields);
  }
  const bare = text.replace(/^udp:\/\//i, "");
  const ipv6 = canonicalIpv6(bare.split("%", 1)[0] ?? "");
  // Without brackets there can be no port after it.
  if (ipv6 !== undefined) return { hostname: ipv6 };
  const hasPort = bare === "" || /:\d*$/.test(bare);
  try {
    const address = toAddress(hasPort ? bare : `${bare}:9`, fields);
    requireScheme(address, ["udp"], "a simulated network", fields);
    const { hostname, port } = address as NetAddr;
    return hasPort ? { hostname, port } : { hostname };
  } catch {
    const wanted = "give a host, or a host and a port, as 10.0.0.1:53";
    throw invalid(text, wanted, fields);
  }
}

function invalid(text: string, wanted: string, fields: OperationFields): Error {
  return withFields(new InvalidAddressError(text, wanted), fields);
}

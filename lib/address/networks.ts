import { BlockList } from "node:net";
import { shown, wrongType } from "../check.ts";
import {
  type Attempt,
  fieldsOf,
  InvalidAddressError,
  withFields,
} from "../errors.ts";
import { canonicalIpv6, ipBytes, IPV4 } from "./host.ts";

/** An IP network, or one address. */
interface Network {
  host: string;
  /** How many bits all its addresses share: 0 to 32, or to 128 for IPv6. */
  prefix: number;
  ipv6: boolean;
}

/**
 * Reads an option that lists networks, once, and checks it.
 *
 * @returns A copy.
 * @throws {TypeError} It is not a list.
 * @throws {InvalidAddressError} An entry is not an IP network.
 */
export function readNetworks(
  attempt: Attempt,
  name: string,
  cidrs: readonly string[] | undefined,
): readonly string[] | undefined {
  if (cidrs === undefined) return undefined;
  if (!Array.isArray(cidrs)) {
    throw wrongType(attempt, name, "an array of networks", cidrs);
  }
  const copy: readonly string[] = [...cidrs];
  for (const cidr of copy) {
    if (networkOf(cidr) !== undefined) continue;
    throw withFields(invalid(cidr), fieldsOf(attempt));
  }
  return copy;
}

/**
 * Returns the networks as one list to check addresses against.
 *
 * @throws {InvalidAddressError} An entry is not an IP network.
 */
export function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const { host, prefix, ipv6 } = parseNetwork(cidr);
    list.addSubnet(host, prefix, ipv6 ? "ipv6" : "ipv4");
  }
  return list;
}

/**
 * Returns the first and the last address of a network, in the form of `ipBytes`.
 *
 * @throws {InvalidAddressError} It is not an IP network.
 */
export function rangeOf(cidr: string): { first: Uint8Array; last: Uint8Array } {
  const { host, prefix, ipv6 } = parseNetwork(cidr);
  const bits = ipv6 ? prefix : 96 + prefix;
  const mask = (i: number) =>
    0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)) & 0xff;
  const bytes = ipBytes(host);
  return {
    first: bytes.map((byte, i) => byte & mask(i)),
    last: bytes.map((byte, i) => byte | ~mask(i) & 0xff),
  };
}

function parseNetwork(cidr: string): Network {
  const network = networkOf(cidr);
  if (network === undefined) throw invalid(cidr);
  return network;
}

function networkOf(cidr: unknown): Network | undefined {
  if (typeof cidr !== "string") return undefined;
  const [, host = "", bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const ipv6 = host.includes(":");
  const size = ipv6 ? 128 : 32;
  const prefix = Number(bits ?? size);
  const isAddress = ipv6 ? canonicalIpv6(host) !== undefined : IPV4.test(host);
  return isAddress && prefix <= size ? { host, prefix, ipv6 } : undefined;
}

function invalid(cidr: unknown): InvalidAddressError {
  return new InvalidAddressError(
    typeof cidr === "string" ? cidr : shown(cidr),
    "give a network, such as 10.0.0.0/8, fd00::/8 or 192.0.2.7",
  );
}

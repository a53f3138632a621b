import { shown, wrongType } from "../check.ts";
import {
  type Attempt,
  fieldsOf,
  InvalidAddressError,
  withFields,
} from "../errors.ts";
import { canonicalIpv6, ipBytes, IPV4, isIp } from "./host.ts";

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

/** Networks to check addresses against. */
export class Networks {
  readonly #ranges: readonly AddressRange[];

  /** @throws {InvalidAddressError} An entry is not an IP network. */
  constructor(cidrs: readonly string[]) {
    this.#ranges = cidrs.map(rangeOf);
  }

  /**
   * Whether a host is an IP address in one of them. IPv6 networks that are wider
   * than `::ffff:0:0/96` contain no IPv4 address.
   */
  has(host: string): boolean {
    if (!isIp(host)) return false;
    const bytes = ipBytes(host);
    return this.#ranges.some((range) =>
      isIn(bytes, range) && isMapped(bytes) === isMapped(range.first)
    );
  }
}

/** The first and the last address of a network, in the form of `ipBytes`. */
export interface AddressRange {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

/**
 * Returns the first and the last address of a network, in the form of `ipBytes`.
 *
 * @throws {InvalidAddressError} It is not an IP network.
 */
export function rangeOf(cidr: string): AddressRange {
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

/** Whether an address, in the form of `ipBytes`, is in a network's range. */
function isIn(bytes: Uint8Array, { first, last }: AddressRange): boolean {
  return bytes.every((byte, i) => first[i]! <= byte && byte <= last[i]!);
}

/** Whether an address is one of IPv4: `::ffff:a.b.c.d`. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255));
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

import { BlockList } from "node:net";
import { InvalidAddressError } from "../errors.ts";
import { ipBytes, isIp } from "./host.ts";

/** An IP network, or one address. */
interface Network {
  host: string;
  /** How many bits all its addresses share: 0 to 32, to 128 for IPv6. */
  prefix: number;
  ipv6: boolean;
}

/** The networks as one list to check addresses against. */
export function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const { host, prefix, ipv6 } = parseNetwork(cidr);
    list.addSubnet(host, prefix, ipv6 ? "ipv6" : "ipv4");
  }
  return list;
}

/** The first and the last address of a network, as `ipBytes` gives them. */
export function rangeOf(cidr: string): { first: Uint8Array; last: Uint8Array } {
  const { host, prefix, ipv6 } = parseNetwork(cidr);
  const bits = ipv6 ? prefix : 96 + prefix;
  const mask = Uint8Array.from(
    { length: 16 },
    (_, i) => 0xff00 >> Math.min(8, Math.max(0, bits - 8 * i)) & 0xff,
  );
  const bytes = ipBytes(host);
  return {
    first: bytes.map((byte, i) => byte & mask[i]),
    last: bytes.map((byte, i) => byte | ~mask[i] & 0xff),
  };
}

function parseNetwork(cidr: string): Network {
  const [, host = "", bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const ipv6 = host.includes(":");
  const size = ipv6 ? 128 : 32;
  const prefix = Number(bits ?? size);
  if (
    isIp(host) && (!ipv6 || URL.canParse(`http://[${host}]/`)) && prefix <= size
  ) {
    return { host, prefix, ipv6 };
  }
  throw new InvalidAddressError(
    cidr,
    "give a network, such as 10.0.0.0/8, fd00::/8 or 192.0.2.7",
  );
}

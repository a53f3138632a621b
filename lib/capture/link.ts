import { decodeIp, decodeIpv4, decodeIpv6 } from "./ip.ts";
import { missing, type Outcome, type Part, u16 } from "./outcomes.ts";

/** The link types that are read: `LINKTYPE_` values. */
const NULL = 0;
/** Of Ethernet; also what is written. */
export const ETHERNET = 1;
const RAW = 101;
const LINUX_COOKED = 113;
const IPV4 = 228;
const IPV6 = 229;
const LINUX_COOKED_2 = 276;

/** Values of an EtherType field. */
export const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;

// A VLAN tag, and the outer ones of several.
const TAGS = [0x8100, 0x88a8, 0x9100, 0x9200];
const TAG = 4;
// Up to here the field is a length, and another header follows.
const MAX_LENGTH = 1500;
const SNAP = [0xaa, 0xaa, 3, 0, 0, 0];

const FAMILIES: ReadonlyMap<number, typeof decodeIp> = new Map([
  [2, decodeIpv4],
  // Of NetBSD, FreeBSD and macOS.
  [24, decodeIpv6],
  [28, decodeIpv6],
  [30, decodeIpv6],
  // Of Linux.
  [10, decodeIpv6],
]);

const KINDS: Readonly<Record<number, string>> = {
  0x0806: "arp",
  0x8035: "rarp",
  0x8847: "mpls",
  0x8848: "mpls",
  0x8863: "pppoe",
  0x8864: "pppoe",
  0x888e: "eapol",
  0x88cc: "lldp",
};

/** Decodes a packet from its link layer on. */
export function decodeLink(linkType: number, part: Part): Outcome {
  switch (linkType) {
    case NULL:
      return decodeFamily(part);
    case ETHERNET:
      return decodeEtherType(12, 14, part);
    case RAW:
      return decodeIp(part);
    case LINUX_COOKED:
      return decodeEtherType(14, 16, part);
    case LINUX_COOKED_2:
      return decodeEtherType(0, 20, part);
    case IPV4:
      return decodeIpv4(part);
    case IPV6:
      return decodeIpv6(part);
    default:
      return { kind: `link type ${linkType}` };
  }
}

/** The family is in the byte order of the machine that captured the packet. */
function decodeFamily(part: Part): Outcome {
  const { bytes } = part;
  if (bytes.length < 4) return missing(part);
  const big = u16(bytes, 2);
  const family = u16(bytes, 0) === 0 && big !== 0
    ? big
    : bytes[1]! << 8 | bytes[0]!;
  const decode = FAMILIES.get(family);
  return decode === undefined
    ? { kind: `address family ${family}` }
    : decode({ ...part, start: 4 });
}

/**
 * @param at Where the EtherType is.
 * @param start Where the header ends.
 */
function decodeEtherType(at: number, start: number, part: Part): Outcome {
  const { bytes } = part;
  if (bytes.length < start) return missing(part);
  let type = u16(bytes, at);
  while (TAGS.includes(type)) {
    if (bytes.length < start + TAG) return missing(part);
    type = u16(bytes, start + 2);
    start += TAG;
  }
  if (type <= MAX_LENGTH) {
    const isSnap = SNAP.every((byte, i) => bytes[start + i] === byte);
    if (!isSnap) return { kind: "llc" };
    start += SNAP.length + 2;
    if (bytes.length < start) return missing(part);
    type = u16(bytes, start - 2);
  }
  if (type === ETHERTYPE.ipv4) return decodeIpv4({ ...part, start });
  if (type === ETHERTYPE.ipv6) return decodeIpv6({ ...part, start });
  const kind = KINDS[type] ??
    `ethertype 0x${type.toString(16).padStart(4, "0")}`;
  return { kind };
}

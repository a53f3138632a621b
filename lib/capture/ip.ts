import { ipText } from "../address/host.ts";
import { missing, type Outcome, type Part, u16 } from "./outcomes.ts";
import { decodeUdp, type Hosts, UDP } from "./udp.ts";

const IPV6_HEADER = 40;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Extension headers with their length in the second byte: RFC 8200, section 4. */
const EXTENSIONS = [0, 43, 60, 135, 139, 140];

/** The names of IP's protocols. */
const KINDS: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  4: "ipip",
  6: "tcp",
  33: "dccp",
  41: "ipv6 in ip",
  47: "gre",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  59: "no next header",
  89: "ospf",
  103: "pim",
  112: "vrrp",
  132: "sctp",
  136: "udplite",
};

/** The payload of an IP packet. */
interface Payload extends Part, Hosts {
  /** Where it ends, by its header. The file may hold less. */
  readonly end: number;
  /** Whether the header had no length, as of segments that the card cuts. */
  readonly isUnbounded: boolean;
}

/** Decodes IP of the version that its first byte says. */
export function decodeIp(part: Part): Outcome {
  const { bytes, start } = part;
  if (bytes.length <= start) return missing(part);
  return bytes[start]! >> 4 === 6 ? decodeIpv6(part) : decodeIpv4(part);
}

/** Decodes an IPv4 packet. */
export function decodeIpv4(part: Part): Outcome {
  const { bytes, start } = part;
  if (bytes.length < start + 20) return missing(part);
  const header = (bytes[start]! & 15) * 4;
  const total = u16(bytes, start + 2);
  const isUnbounded = total === 0;
  const end = isUnbounded ? bytes.length : start + total;
  if (bytes[start]! >> 4 !== 4 || header < 20 || end < start + header) {
    return "malformed";
  }
  const protocol = bytes[start + 9]!;
  if (protocol !== UDP) return other(protocol);
  const hosts = hostsAt(bytes, start + 12, 4);
  const payload = {
    ...part,
    ...hosts,
    start: start + header,
    end,
    isUnbounded,
  };
  const flags = u16(bytes, start + 6);
  const offset = (flags & 0x1fff) * 8;
  const isLast = (flags & 0x2000) === 0;
  if (offset === 0 && isLast) return decodeUdp(payload);
  if (end > bytes.length) return missing(part);
  return {
    key: `${hosts.from}>${hosts.to} ${u16(bytes, start + 4)}`,
    offset,
    isLast,
    data: bytes.subarray(start + header, end),
    decode: (whole) => decodeUdp({ ...hosts, ...wholePart(whole) }),
  };
}

/** Decodes an IPv6 packet. */
export function decodeIpv6(part: Part): Outcome {
  const { bytes, start } = part;
  if (bytes.length < start + IPV6_HEADER) return missing(part);
  if (bytes[start]! >> 4 !== 6) return "malformed";
  const length = u16(bytes, start + 4);
  const isUnbounded = length === 0;
  const first = start + IPV6_HEADER;
  return decodeNext(bytes[start + 6]!, {
    ...part,
    ...hostsAt(bytes, start + 8, 16),
    start: first,
    end: isUnbounded ? bytes.length : first + length,
    isUnbounded,
  });
}

/** Follows the extension headers of IPv6 up to what they extend. */
function decodeNext(next: number, payload: Payload): Outcome {
  const { bytes, end } = payload;
  let { start } = payload;
  for (;;) {
    const isExtension = EXTENSIONS.includes(next);
    if (!isExtension && next !== FRAGMENT && next !== AUTHENTICATION) break;
    if (start + 8 > end) return "malformed";
    if (start + 8 > bytes.length) return missing(payload);
    if (next === FRAGMENT) {
      const field = u16(bytes, start + 2);
      // A datagram in one piece may have this header too: RFC 6946.
      if ((field & 0xfff9) !== 0) {
        return decodeFragment(field, { ...payload, start });
      }
    }
    const words = bytes[start + 1]!;
    const length = isExtension
      ? (words + 1) * 8
      : next === FRAGMENT
      ? 8
      : (words + 2) * 4;
    next = bytes[start]!;
    start += length;
  }
  return next === UDP ? decodeUdp({ ...payload, start }) : other(next);
}

/** @param field The offset, in units of 8 bytes and shifted by 3, and a flag. */
function decodeFragment(field: number, payload: Payload): Outcome {
  const { bytes, start, end, from, to } = payload;
  const next = bytes[start]!;
  const isOfUdp = next === UDP || next === AUTHENTICATION ||
    EXTENSIONS.includes(next);
  if (!isOfUdp) return other(next);
  if (end > bytes.length) return missing(payload);
  const id = u16(bytes, start + 4) * 65_536 + u16(bytes, start + 6);
  return {
    key: `${from}>${to} ${id}`,
    offset: field & 0xfff8,
    isLast: (field & 1) === 0,
    data: bytes.subarray(start + 8, end),
    decode: (whole) => decodeNext(next, { from, to, ...wholePart(whole) }),
  };
}

function wholePart(bytes: Uint8Array): Omit<Payload, keyof Hosts> {
  return {
    bytes,
    start: 0,
    end: bytes.length,
    isCut: false,
    isUnbounded: false,
  };
}

function hostsAt(bytes: Uint8Array, at: number, size: 4 | 16): Hosts {
  return {
    from: ipText(bytes.subarray(at, at + size)),
    to: ipText(bytes.subarray(at + size, at + 2 * size)),
  };
}

function other(protocol: number): Outcome {
  return { kind: KINDS[protocol] ?? `ip protocol ${protocol}` };
}

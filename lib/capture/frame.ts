import { addWords, checksumOf } from "./checksum.ts";
import type { HostBytes } from "./host_bytes.ts";
import { ETHERTYPE } from "./link.ts";
import { viewOf } from "./packet.ts";
import { UDP, UDP_HEADER } from "./udp.ts";

const ETHERNET_HEADER = 14;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const MAX_LENGTH = 65_535;
// "Do not fragment": the number of the packet is of no use then.
const DONT_FRAGMENT = 0x4000;
const HOPS = 64;

/** An address of a datagram. */
export interface Endpoint extends HostBytes {
  readonly port: number;
}

/**
 * Returns the Ethernet, IP and UDP headers of a datagram, with true checksums.
 * The Ethernet addresses are zero. If both addresses are IPv4, so is the packet;
 * otherwise an IPv4 address is written as `::ffff:a.b.c.d`.
 *
 * @returns `undefined` if no UDP packet can be that long.
 */
export function headersOf(
  from: Endpoint,
  to: Endpoint,
  data: Uint8Array,
): Uint8Array | undefined {
  const length = UDP_HEADER + data.length;
  const isIpv4 = from.isIpv4 && to.isIpv4;
  const header = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
  if ((isIpv4 ? header : 0) + length > MAX_LENGTH) return undefined;

  const bytes = new Uint8Array(ETHERNET_HEADER + header + UDP_HEADER);
  const type = isIpv4 ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6;
  viewOf(bytes).setUint16(ETHERNET_HEADER - 2, type);
  const ip = bytes.subarray(ETHERNET_HEADER, ETHERNET_HEADER + header);
  const addresses = isIpv4
    ? writeIpv4(ip, from.bytes.subarray(12), to.bytes.subarray(12), length)
    : writeIpv6(ip, from.bytes, to.bytes, length);

  const udp = bytes.subarray(ETHERNET_HEADER + header);
  const view = viewOf(udp);
  view.setUint16(0, from.port);
  view.setUint16(2, to.port);
  view.setUint16(4, length);
  const sum = addWords(data, addWords(udp, addWords(addresses, UDP + length)));
  // 0 would mean that there is none.
  view.setUint16(6, checksumOf(sum) || 0xffff);
  return bytes;
}

/** @returns Both addresses. */
function writeIpv4(
  ip: Uint8Array,
  source: Uint8Array,
  target: Uint8Array,
  length: number,
): Uint8Array {
  const view = viewOf(ip);
  ip[0] = 0x45;
  view.setUint16(2, IPV4_HEADER + length);
  view.setUint16(6, DONT_FRAGMENT);
  ip[8] = HOPS;
  ip[9] = UDP;
  ip.set(source, 12);
  ip.set(target, 16);
  view.setUint16(10, checksumOf(addWords(ip)));
  return ip.subarray(12);
}

/** @returns Both addresses. */
function writeIpv6(
  ip: Uint8Array,
  source: Uint8Array,
  target: Uint8Array,
  length: number,
): Uint8Array {
  ip[0] = 0x60;
  viewOf(ip).setUint16(4, length);
  ip[6] = UDP;
  ip[7] = HOPS;
  ip.set(source, 8);
  ip.set(target, 24);
  return ip.subarray(8);
}

import { type Addr, isConnected, type NetAddr, schemeOf } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import { comparableHost, ipBytes } from "../../address/host.ts";
import { escapeControls } from "../../escape.ts";

const SIGNATURE = [
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
];
// Version 2, command PROXY.
const VERSION_2_PROXY = 0x21;
// Address families and transports, in the upper and lower four bits of a byte.
const UNSPECIFIED = 0x00;
const INET = 0x10;
const INET6 = 0x20;
const STREAM = 0x01;
const DGRAM = 0x02;

const encoder = new TextEncoder();

/**
 * Returns the header of the PROXY protocol, version 2, that names the two ends of
 * a message: 28 bytes for IPv4, 52 for IPv6, and 16 without addresses if the
 * sender has no IP address.
 *
 * @param from The sender.
 * @param to The socket that received the message.
 */
export function proxyHeader(from: Addr, to: Addr): Uint8Array<ArrayBuffer> {
  if (!("hostname" in from) || !("hostname" in to)) {
    return Uint8Array.of(...SIGNATURE, VERSION_2_PROXY, UNSPECIFIED, 0, 0);
  }
  // A stream, unless the sender's transport is made of datagrams, as QUIC's is.
  const isStream = isConnected(from) && schemeOf(from) !== "quic";
  const isIpv4 = !comparableHost(from.hostname).includes(":") &&
    hasIpv4(to.hostname);
  const addresses = [from, to].flatMap(({ hostname }) => [
    ...isIpv4 ? ipv4Bytes(hostname) : ipBytes(hostname),
  ]);
  const ports = [from, to].flatMap(({ port }) => [port >> 8, port & 0xff]);
  const family = (isIpv4 ? INET : INET6) | (isStream ? STREAM : DGRAM);
  const length = addresses.length + ports.length;
  return Uint8Array.of(
    ...SIGNATURE,
    ...[VERSION_2_PROXY, family, 0, length],
    ...addresses,
    ...ports,
  );
}

/** Whether the receiver can be named by an IPv4 address. */
function hasIpv4(hostname: string): boolean {
  const plain = comparableHost(hostname);
  return plain === "::" || !plain.includes(":");
}

function ipv4Bytes(hostname: string): Uint8Array {
  const plain = comparableHost(hostname);
  return ipBytes(plain === "::" ? "0.0.0.0" : plain).subarray(12);
}

/** Returns the line that names the sender of a message, without its end. */
export function senderLine(from: Addr | NetAddr): Uint8Array<ArrayBuffer> {
  return encoder.encode(`Pli-From: ${escapeControls(formatAddress(from))}`);
}

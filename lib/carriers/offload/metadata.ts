import type { NetAddr } from "../../addr.ts";
import { comparableHost, ipBytes, ipText } from "../../address/host.ts";
import type { Metadata } from "../../carrier.ts";
import { errors, InvalidAddressError } from "../../errors.ts";
import { CMSGHDR, IN6_PKTINFO, IN_PKTINFO, TIMESPEC } from "./layout.ts";
import { interfaceIndex } from "./sockaddr.ts";
import {
  EINVAL,
  ENETUNREACH,
  IP_PKTINFO,
  IP_TOS,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  type Libc,
  SO_TIMESTAMPNS,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from "./libc.ts";

// How many local addresses are kept as text. When it is full, all are forgotten.
const MAX_HOSTS = 64;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What the kernel tells of one call's datagrams. */
export interface Told extends Metadata {
  /** The length of each datagram of a run. @default {a single datagram} */
  readonly segmentSize?: number;
}

/** Reads the control messages of received datagrams (cmsg(3)). */
export class MetadataReader {
  readonly #port: number;
  // IPv4 addresses of an IPv6 socket have a prefix.
  readonly #prefix: string;
  readonly #hosts = new Map<string, string>();
  // To which nothing can be sent from: broadcast addresses of this machine.
  readonly #shared = new Set<string>();

  /** @param port Of the socket. @param family Likewise. */
  constructor(port: number, family: 4 | 6) {
    this.#port = port;
    this.#prefix = family === 6 ? "::ffff:" : "";
  }

  /** Whether datagrams came to that address, and it is not this machine's alone. */
  isShared(host: string): boolean {
    return this.#shared.has(host);
  }

  /**
   * Reads the control messages of one slot. One that was cut off, for want of
   * room, is left out.
   *
   * @param controls The control messages of all slots.
   * @param start Where those of the slot begin.
   * @param length Their length in bytes.
   */
  read(controls: DataView, start: number, length: number): Told {
    const told: Writable<Told> = {};
    const end = start + length;
    for (let at = start; at + CMSGHDR.data <= end;) {
      // The upper half of a `size_t` is 0.
      const size = controls.getUint32(at + CMSGHDR.len, true);
      if (size < CMSGHDR.data || at + size > end) break;
      this.#add(told, controls, at, size - CMSGHDR.data);
      // CMSG_ALIGN.
      at += size + 7 & ~7;
    }
    return told;
  }

  #add(
    told: Writable<Told>,
    controls: DataView,
    at: number,
    size: number,
  ): void {
    const level = controls.getInt32(at + CMSGHDR.level, true);
    const type = controls.getInt32(at + CMSGHDR.type, true);
    const data = at + CMSGHDR.data;
    if (level === SOL_UDP) {
      if (type === UDP_GRO && size >= 4) {
        told.segmentSize = controls.getInt32(data, true);
      }
    } else if (level === SOL_SOCKET) {
      if (type === SO_TIMESTAMPNS && size >= TIMESPEC.size) {
        told.time = timeAt(controls, data);
      }
    } else if (level === SOL_IP) {
      if (type === IP_TOS && size >= 1) told.ecn = ecnOf(controls, data);
      else if (type === IP_PKTINFO && size >= IN_PKTINFO.size) {
        told.to = this.#ipv4(controls, data);
      }
    } else if (level === SOL_IPV6) {
      if (type === IPV6_TCLASS && size >= 4) told.ecn = ecnOf(controls, data);
      else if (type === IPV6_PKTINFO && size >= IN6_PKTINFO.size) {
        told.to = this.#ipv6(controls, data);
      }
    }
  }

  #ipv4(controls: DataView, at: number): NetAddr {
    const addr = controls.getUint32(at + IN_PKTINFO.addr);
    const own = controls.getUint32(at + IN_PKTINFO.specDst);
    const host = this.#host(`${addr}`, controls, at + IN_PKTINFO.addr, 4);
    if (addr !== own && this.#shared.size < MAX_HOSTS) this.#shared.add(host);
    return this.#address(host);
  }

  #ipv6(controls: DataView, at: number): NetAddr {
    const word = (i: number) =>
      controls.getUint32(at + IN6_PKTINFO.addr + 4 * i);
    const key = `${word(0)} ${word(1)} ${word(2)} ${word(3)}`;
    const host = this.#host(key, controls, at + IN6_PKTINFO.addr, 16);
    // fe80::/10: it is an address of that interface.
    const isLinkLocal = (word(0) & 0xffc0_0000) === 0xfe80_0000 << 0;
    if (!isLinkLocal) return this.#address(host);
    const index = controls.getUint32(at + IN6_PKTINFO.ifindex, true);
    return this.#address(`${host}%${index}`);
  }

  #host(key: string, controls: DataView, at: number, size: number): string {
    let host = this.#hosts.get(key);
    if (host !== undefined) return host;
    if (this.#hosts.size >= MAX_HOSTS) this.#hosts.clear();
    host = (size === 4 ? this.#prefix : "") +
      ipText(new Uint8Array(controls.buffer, controls.byteOffset + at, size));
    this.#hosts.set(key, host);
    return host;
  }

  #address(hostname: string): NetAddr {
    return { transport: "udp", hostname, port: this.#port };
  }
}

/** The lower two bits of the byte that was the type of service (RFC 3168). */
function ecnOf(controls: DataView, at: number): 0 | 1 | 2 | 3 {
  return (controls.getUint8(at) & 3) as 0 | 1 | 2 | 3;
}

function timeAt(controls: DataView, at: number): number {
  const sec = controls.getBigInt64(at + TIMESPEC.sec, true);
  const nsec = controls.getBigInt64(at + TIMESPEC.nsec, true);
  return Number(sec) * 1000 + Number(nsec) / 1e6;
}

/**
 * Room for all control messages of a datagram: the segment size, the time, the
 * address (of a datagram of IPv4 to an IPv6 socket twice) and the ECN bits.
 */
export const CONTROL_SIZE: number = space(4) + space(TIMESPEC.size) +
  space(IN6_PKTINFO.size) + space(IN_PKTINFO.size) + space(4);

/** CMSG_SPACE. */
function space(size: number): number {
  return CMSGHDR.data + size + 7 & ~7;
}

/**
 * Makes the control message that lets a datagram leave from a local address.
 *
 * @param host An IP address; a link-local one with its interface as zone.
 * @throws {InvalidAddressError} Its zone is not an interface of this machine,
 * or its family is not the socket's.
 */
export function leavingFrom(
  libc: Libc,
  host: string,
  family: 4 | 6,
): Uint8Array {
  if (family === 4 && comparableHost(host).includes(":")) {
    throw new InvalidAddressError(host, "an IPv4 socket cannot send from it");
  }
  const [, zone] = host.split("%", 2);
  const bytes = ipBytes(host);
  const scope = zone === undefined ? 0 : interfaceIndex(libc, host, zone);
  const info = family === 4 ? IN_PKTINFO : IN6_PKTINFO;
  const message = new Uint8Array(space(info.size));
  const view = new DataView(message.buffer);
  view.setUint32(CMSGHDR.len, CMSGHDR.data + info.size, true);
  view.setInt32(CMSGHDR.level, family === 4 ? SOL_IP : SOL_IPV6, true);
  view.setInt32(CMSGHDR.type, family === 4 ? IP_PKTINFO : IPV6_PKTINFO, true);
  view.setUint32(CMSGHDR.data + info.ifindex, scope, true);
  if (family === 4) {
    message.set(bytes.subarray(12), CMSGHDR.data + IN_PKTINFO.specDst);
  } else message.set(bytes, CMSGHDR.data + IN6_PKTINFO.addr);
  return message;
}

/** Makes the error of a host that nothing can leave from, if that is the reason. */
export function unusable(host: string, errno: number): Error | undefined {
  if (errno !== EINVAL && errno !== ENETUNREACH) return undefined;
  return new errors.AddrNotAvailable(
    `${host} is not an address of this machine with a way to the peer`,
  );
}

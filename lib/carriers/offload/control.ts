import { ipBytes, isIp } from "../../address/host.ts";
import type { CarrierMembership } from "../../carrier.ts";
import type { BufferKind, CarrierControl } from "../../control.ts";
import { errors } from "../../errors.ts";
import { GROUP_SOURCE_REQ, SOCKADDR_IN6 } from "./layout.ts";
import {
  AF_INET6,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EINVAL,
  ENODEV,
  EPERM,
  IP_ADD_MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_TTL,
  IPV6_JOIN_GROUP,
  IPV6_LEAVE_GROUP,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_UNICAST_HOPS,
  type Libc,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  SO_BROADCAST,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  systemError,
} from "./libc.ts";
import { interfaceIndex } from "./sockaddr.ts";
import { getOption, growBuffer } from "./socket_options.ts";

const CODES: Record<number, string> = {
  [EPERM]: "EPERM",
  [ENODEV]: "ENODEV",
  [EINVAL]: "EINVAL",
  [EADDRINUSE]: "EADDRINUSE",
  [EADDRNOTAVAIL]: "EADDRNOTAVAIL",
};

/** Changes an open socket: setsockopt(2), ip(7), ipv6(7). */
export class Control implements CarrierControl {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #isIpv6: boolean;
  // The descriptor may be another one's by then.
  #isClosed = false;

  constructor(
    libc: Libc,
    fd: number,
    family: 4 | 6,
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#isIpv6 = family === 6;
  }

  setBroadcast(isAllowed: boolean): void {
    this.#set(SOL_SOCKET, SO_BROADCAST, int(Number(isAllowed)));
  }

  setTtl(hops: number): void {
    this.#set(SOL_IP, IP_TTL, int(hops));
    if (this.#isIpv6) this.#set(SOL_IPV6, IPV6_UNICAST_HOPS, int(hops));
  }

  setMulticastTtl(hops: number): void {
    this.#set(SOL_IP, IP_MULTICAST_TTL, int(hops));
    if (this.#isIpv6) this.#set(SOL_IPV6, IPV6_MULTICAST_HOPS, int(hops));
  }

  setMulticastLoopback(isOn: boolean): void {
    this.#set(SOL_IP, IP_MULTICAST_LOOP, int(Number(isOn)));
    if (!this.#isIpv6) return;
    this.#set(SOL_IPV6, IPV6_MULTICAST_LOOP, int(Number(isOn)));
  }

  setMulticastInterface(address: string): void {
    if (this.#isIpv6) {
      this.#set(SOL_IPV6, IPV6_MULTICAST_IF, int(this.#indexOf(address)));
    } else this.#set(SOL_IP, IP_MULTICAST_IF, ipv4(address));
  }

  join(group: string, on?: string, source?: string): void {
    this.#member(true, group, on, source);
  }

  leave(group: string, on?: string, source?: string): void {
    this.#member(false, group, on, source);
  }

  /** Twice what was set: Linux counts its own bookkeeping (socket(7)). */
  bufferSize(kind: BufferKind): number {
    this.#requireOpen();
    const option = kind === "receive" ? SO_RCVBUF : SO_SNDBUF;
    return getOption(this.#libc, this.#fd, option);
  }

  /** Sets as much of it as the system allows. */
  setBufferSize(kind: BufferKind, size: number): void {
    this.#requireOpen();
    growBuffer(this.#libc, this.#fd, `${kind}Buffer`, size);
  }

  /** Joins a group, as a carrier does. */
  // deno-lint-ignore require-await -- what it throws rejects
  async member(
    group: string,
    on: string | number,
    source?: string,
  ): Promise<CarrierMembership> {
    // 0 is the system's choice.
    const place = typeof on === "string" ? on : on === 0 ? "::" : `::%${on}`;
    this.join(group, place, source);
    const later = (change: () => void) => Promise.try(change);
    return {
      leave: () => later(() => this.leave(group, place, source)),
      setLoopback: (isOn) => later(() => this.setMulticastLoopback(isOn)),
      setTTL: (ttl) => later(() => this.setMulticastTtl(ttl)),
    };
  }

  /** Refuses everything from now on. */
  close(): void {
    this.#isClosed = true;
  }

  #member(
    joins: boolean,
    group: string,
    on: string | undefined,
    source: string | undefined,
  ): void {
    if (group.includes(":") !== this.#isIpv6) {
      const family = this.#isIpv6 ? "IPv6" : "IPv4";
      throw new TypeError(`an ${family} socket has groups of ${family} only`);
    }
    if (this.#isIpv6) {
      const index = this.#indexOf(on ?? "::");
      if (source === undefined) {
        const option = joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP;
        this.#set(SOL_IPV6, option, bytes(ipBytes(group), int(index)));
      } else {
        const option = joins
          ? MCAST_JOIN_SOURCE_GROUP
          : MCAST_LEAVE_SOURCE_GROUP;
        this.#set(SOL_IPV6, option, groupSource(index, group, source));
      }
      return;
    }
    const place = ipv4(on ?? "0.0.0.0");
    if (source === undefined) {
      const option = joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
      this.#set(SOL_IP, option, bytes(ipv4(group), place));
    } else {
      const option = joins
        ? IP_ADD_SOURCE_MEMBERSHIP
        : IP_DROP_SOURCE_MEMBERSHIP;
      this.#set(SOL_IP, option, bytes(ipv4(group), place, ipv4(source)));
    }
  }

  /** The index of the interface after `::%`; 0 for the system's choice. */
  #indexOf(address: string): number {
    const [, zone] = address.split("%", 2);
    return zone === undefined ? 0 : interfaceIndex(this.#libc, address, zone);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new errors.BadResource("closed");
  }

  #set(level: number, option: number, value: Uint8Array<ArrayBuffer>): void {
    this.#requireOpen();
    const { length } = value;
    const libc = this.#libc;
    if (libc.setsockopt(this.#fd, level, option, value, length) === 0) return;
    const errno = libc.errno();
    throw Object.assign(systemError(libc, errno), { code: CODES[errno] });
  }
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}

function bytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function ipv4(address: string): Uint8Array<ArrayBuffer> {
  if (address.includes(":") || !isIp(address)) {
    throw new TypeError(`not an IPv4 address: ${address}`);
  }
  return ipBytes(address).slice(12);
}

/** A `group_source_req` for IPv6. */
function groupSource(
  index: number,
  group: string,
  source: string,
): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(GROUP_SOURCE_REQ.size);
  const view = new DataView(request.buffer);
  view.setUint32(GROUP_SOURCE_REQ.interface, index, true);
  const hosts = [
    [GROUP_SOURCE_REQ.group, group],
    [GROUP_SOURCE_REQ.source, source],
  ] as const;
  for (const [at, host] of hosts) {
    view.setUint16(at + SOCKADDR_IN6.family, AF_INET6, true);
    request.set(ipBytes(host), at + SOCKADDR_IN6.addr);
  }
  return request;
}

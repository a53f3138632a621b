import type { Metadata } from "../../carrier.ts";
import { SK_MEMINFO_DROPS } from "./layout.ts";
import {
  AF_INET6,
  checked,
  IP_PKTINFO,
  IP_RECVTOS,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  type Libc,
  SO_BROADCAST,
  SO_ERROR,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_TIMESTAMPNS,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from "./libc.ts";
import type { OffloadOptions } from "./options.ts";

// What tells it. Datagrams of IPv4 also come to IPv6 sockets.
const METADATA: Record<
  keyof Metadata,
  readonly (readonly [level: number, option: number])[]
> = {
  to: [[SOL_IP, IP_PKTINFO], [SOL_IPV6, IPV6_RECVPKTINFO]],
  ecn: [[SOL_IP, IP_RECVTOS], [SOL_IPV6, IPV6_RECVTCLASS]],
  time: [[SOL_SOCKET, SO_TIMESTAMPNS]],
};

/** Sets the options of a socket that is not bound yet. */
export function setOptions(
  libc: Libc,
  fd: number,
  { reusePort, receiveBuffer, sendBuffer, metadata = [] }: OffloadOptions,
  family: number,
): void {
  set(libc, fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (reusePort) set(libc, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // From the start and for good: whoever turns it off and on again loses the
  // lengths of the datagrams that arrive meanwhile.
  set(libc, fd, SOL_UDP, UDP_GRO, 1);
  for (const name of metadata) {
    for (const [level, option] of METADATA[name]) {
      if (level === SOL_IPV6 && family !== AF_INET6) continue;
      set(libc, fd, level, option, 1);
    }
  }
  if (receiveBuffer !== undefined) {
    setBuffer(libc, fd, "receiveBuffer", receiveBuffer);
  }
  if (sendBuffer !== undefined) setBuffer(libc, fd, "sendBuffer", sendBuffer);
}

/** Returns and clears the socket's pending error; 0 if there is none (SO_ERROR). */
export function pendingError(libc: Libc, fd: number): number {
  return getOption(libc, fd, SO_ERROR);
}

/**
 * Returns how many datagrams the kernel dropped at the socket. SO_MEMINFO reports
 * it at any time, SO_RXQ_OVFL only with the next datagram.
 */
export function droppedBy(libc: Libc, fd: number): number {
  return getOption(libc, fd, SO_MEMINFO, SK_MEMINFO_DROPS);
}

/** Sizes above the system's limit need CAP_NET_ADMIN, which root has. */
function setBuffer(
  libc: Libc,
  fd: number,
  name: "receiveBuffer" | "sendBuffer",
  size: number,
): void {
  const [option, force, limit] = name === "receiveBuffer"
    ? [SO_RCVBUF, SO_RCVBUFFORCE, "net.core.rmem_max"]
    : [SO_SNDBUF, SO_SNDBUFFORCE, "net.core.wmem_max"];
  const value = new Uint8Array(new Int32Array([size]).buffer);
  if (libc.setsockopt(fd, SOL_SOCKET, force, value, value.length) === 0) return;
  set(libc, fd, SOL_SOCKET, option, size);
  // The kernel doubles the value, for its own bookkeeping (socket(7)).
  const given = getOption(libc, fd, option) / 2;
  if (given >= size) return;
  throw new RangeError(
    `Cannot open a socket: ${name} may be up to ${given} here (${limit}): given ${size}`,
  );
}

function set(
  libc: Libc,
  fd: number,
  level: number,
  option: number,
  value: number,
): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  checked(libc, libc.setsockopt(fd, level, option, bytes, bytes.length));
}

// Shared by all calls: `getsockopt` returns before the next one is made. No
// option is longer than SO_MEMINFO.
const VALUE = new Uint32Array(SK_MEMINFO_DROPS + 1);
const VALUE_BYTES = new Uint8Array(VALUE.buffer);
const SIZE = new Uint32Array(1);
const SIZE_BYTES = new Uint8Array(SIZE.buffer);

/** Returns one of the numbers that an option of SOL_SOCKET consists of. */
export function getOption(
  libc: Libc,
  fd: number,
  option: number,
  index = 0,
): number {
  SIZE[0] = VALUE_BYTES.length;
  checked(
    libc,
    libc.getsockopt(fd, SOL_SOCKET, option, VALUE_BYTES, SIZE_BYTES),
  );
  return VALUE[index] ?? 0;
}

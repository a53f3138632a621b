import type { NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { isIp } from "../../address/host.ts";
import { SK_MEMINFO_DROPS, SOCKADDR_IN6 } from "./layout.ts";
import {
  AF_INET,
  AF_INET6,
  type Libc,
  SO_BROADCAST,
  SO_ERROR,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SOL_UDP,
  systemError,
  UDP_GRO,
} from "./libc.ts";
import type { OffloadOptions } from "./options.ts";
import { decodeAddress, encodeAddress } from "./sockaddr.ts";

/**
 * Checks that `--allow-net` includes an address, which libc does not do.
 *
 * @throws {Deno.errors.NotCapable} It does not.
 */
export function requireNet(hostname: string, port: number): void {
  const host = hostname.includes(":")
    ? `[${hostname.split("%", 1)[0]}]:${port}`
    : `${hostname}:${port}`;
  const { state } = Deno.permissions.querySync({ name: "net", host });
  if (state === "granted") return;
  throw new errors.NotCapable(
    `Requires net access to "${host}", run again with the --allow-net flag`,
  );
}

/**
 * Opens a socket of the host's family and sets its options.
 *
 * @param make Makes the result of it. If it throws, nothing stays open.
 */
export function openSocket<T>(
  open: () => Libc,
  hostname: string,
  options: OffloadOptions,
  make: (libc: Libc, fd: number) => T,
): T {
  if (!isIp(hostname)) {
    throw new errors.NotSupported(
      `offload binds IP addresses and localhost only, no other names: given ${hostname}`,
    );
  }
  const family = hostname.includes(":") ? AF_INET6 : AF_INET;
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const libc = open();
  let fd = -1;
  try {
    fd = check(libc, libc.socket(family, type, 0));
    setOptions(libc, fd, options);
    return make(libc, fd);
  } catch (error) {
    if (fd >= 0) libc.close(fd);
    libc.unload();
    throw error;
  }
}

export function bindTo(libc: Libc, fd: number, to: NetAddr): void {
  const sockaddr = encodeAddress(libc, to);
  check(libc, libc.bind(fd, sockaddr, sockaddr.length));
}

export function connectTo(libc: Libc, fd: number, to: NetAddr): void {
  const sockaddr = encodeAddress(libc, to);
  check(libc, libc.connect(fd, sockaddr, sockaddr.length));
}

/** Returns the address that a socket is bound to. */
export function localAddress(libc: Libc, fd: number): NetAddr {
  const sockaddr = new Uint8Array(SOCKADDR_IN6.size);
  const size = new Uint8Array(new Uint32Array([sockaddr.length]).buffer);
  check(libc, libc.getsockname(fd, sockaddr, size));
  return decodeAddress(new DataView(sockaddr.buffer), 0);
}

/** Returns and clears the socket's pending error; 0 if there is none (SO_ERROR). */
export function pendingError(libc: Libc, fd: number): number {
  return get(libc, fd, SO_ERROR, 1)[0];
}

/**
 * Returns how many datagrams the kernel dropped at the socket. SO_MEMINFO reports
 * it at any time, SO_RXQ_OVFL only with the next datagram.
 */
export function droppedBy(libc: Libc, fd: number): number {
  return get(libc, fd, SO_MEMINFO, SK_MEMINFO_DROPS + 1)[SK_MEMINFO_DROPS];
}

function setOptions(
  libc: Libc,
  fd: number,
  { reusePort, receiveBuffer, sendBuffer }: OffloadOptions,
): void {
  set(libc, fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (reusePort) set(libc, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(libc, fd, SOL_UDP, UDP_GRO, 1);
  if (receiveBuffer !== undefined) {
    setBuffer(libc, fd, "receiveBuffer", receiveBuffer);
  }
  if (sendBuffer !== undefined) setBuffer(libc, fd, "sendBuffer", sendBuffer);
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
  const given = get(libc, fd, option, 1)[0] / 2;
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
  check(libc, libc.setsockopt(fd, level, option, bytes, bytes.length));
}

// Shared by all calls: `getsockopt` returns before the next one is made.
const VALUE = new Uint32Array(SK_MEMINFO_DROPS + 1);
const VALUE_BYTES = new Uint8Array(VALUE.buffer);
const SIZE = new Uint32Array(1);
const SIZE_BYTES = new Uint8Array(SIZE.buffer);

/** Returns an option's value, valid until the next call. */
function get(
  libc: Libc,
  fd: number,
  option: number,
  count: number,
): Uint32Array {
  SIZE[0] = count * VALUE.BYTES_PER_ELEMENT;
  check(
    libc,
    libc.getsockopt(fd, SOL_SOCKET, option, VALUE_BYTES, SIZE_BYTES),
  );
  return VALUE;
}

function check(libc: Libc, result: number): number {
  if (result >= 0) return result;
  throw systemError(libc, libc.errno());
}

import type { NetAddr } from "../../addr.ts";
import { SOCKADDR_IN, SOCKADDR_IN6 } from "./layout.ts";
import {
  AF_INET6,
  checked,
  type Libc,
  O_CLOEXEC,
  SO_TYPE,
  SOCK_DGRAM,
} from "./libc.ts";
import { encodeAddress } from "./sockaddr.ts";
import { getOption } from "./socket_options.ts";

// Descriptors are given the lowest free number, so the search for a new one
// begins at the one before it. Other threads may have opened some in between.
const SEARCHED = 4096;

/** A descriptor that libc opened and that Deno closes. */
export interface Owned {
  readonly fd: number;
  /** Closes it. No call may use it after that. */
  close(): void;
}

/**
 * Gives a descriptor to Deno, which closes it also when its worker is terminated.
 * Deno has no call for that, so the descriptor takes the place of a socket that
 * Deno has just opened.
 *
 * @param place An address that Deno may bind for a moment.
 * @param fd An open descriptor. It is closed, whatever happens.
 * @throws What `Deno.listenDatagram` throws, such as `Deno.errors.AddrInUse`.
 */
export function own(libc: Libc, fd: number, place: NetAddr): Owned {
  let conn: Deno.DatagramConn | undefined;
  try {
    const { hostname, port } = place;
    conn = Deno.listenDatagram({ transport: "udp", hostname, port });
    const owned = find(libc, conn.addr as NetAddr, fd);
    checked(libc, libc.dup3(fd, owned, O_CLOEXEC));
    return { fd: owned, close: conn.close.bind(conn) };
  } catch (error) {
    conn?.close();
    throw error;
  } finally {
    libc.close(fd);
  }
}

/** Finds the descriptor of the UDP socket that is bound to an address. */
function find(libc: Libc, addr: NetAddr, near: number): number {
  const wanted = encodeAddress(libc, addr);
  const found = new Uint8Array(SOCKADDR_IN6.size);
  const size = new Uint32Array(1);
  const sizeBytes = new Uint8Array(size.buffer);
  const isIt = (fd: number) => {
    size[0] = found.length;
    return libc.getsockname(fd, found, sizeBytes) === 0 &&
      isSame(wanted, found) && getOption(libc, fd, SO_TYPE) === SOCK_DGRAM;
  };
  for (let fd = near; fd < near + SEARCHED; fd++) if (isIt(fd)) return fd;
  for (let fd = near - 1; fd >= 0; fd--) if (isIt(fd)) return fd;
  throw new Error("the descriptor of a new socket was not found");
}

/** Compares family, port and address. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const inet6 = a[0] === AF_INET6;
  const layout = inet6 ? SOCKADDR_IN6 : SOCKADDR_IN;
  const end = layout.addr + (inet6 ? 16 : 4);
  for (let i = 0; i < end; i++) {
    // An IPv6 address is preceded by its flow label.
    const isCompared = i < layout.port + 2 || i >= layout.addr;
    if (isCompared && a[i] !== b[i]) return false;
  }
  return true;
}

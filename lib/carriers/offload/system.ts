import type { NetAddr } from "../../addr.ts";
import { isIp } from "../../address/host.ts";
import { errors } from "../../errors.ts";
import { SOCKADDR_IN6 } from "./layout.ts";
import {
  AF_INET,
  AF_INET6,
  checked,
  type Libc,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "./libc.ts";
import type { OffloadOptions } from "./options.ts";
import { own } from "./owned.ts";
import { NetPermission } from "./permissions.ts";
import { Poller } from "./poller.ts";
import { decodeAddress, encodeAddress } from "./sockaddr.ts";
import { setOptions } from "./socket_options.ts";
import type { Watch } from "./watch.ts";

/** A socket that is open, and the poller that watches it. */
export interface OpenSocket {
  readonly watch: Watch;
  /** The address that it is bound to. */
  readonly addr: NetAddr;
  readonly poller: Poller;
  /** Whether it is told more of datagrams than their bytes and their sender. */
  readonly hasMetadata: boolean;
  /**
   * Closes the socket.
   *
   * @returns When nothing of it is left: the last one also ends the poller.
   */
  close(): Promise<void>;
}

/** An address that Deno may bind for a moment. */
export type Place = readonly [hostname: string, port: number];

/** How a socket is opened. */
export interface Opening {
  /** Its own address, or the peer's: an IP address. */
  readonly address: NetAddr;
  /** The best one first. */
  readonly places: readonly [Place, ...Place[]];
  readonly options: OffloadOptions;
}

/** The sockets of one thread that use the same C library. */
interface Shared {
  readonly poller: Poller;
  sockets: number;
}

const shared = new Map<() => Libc, Shared>();

/** Opens a socket and binds it to its address. */
export function openBound(open: () => Libc, opening: Opening): OpenSocket {
  return openSocket(open, opening, (libc, fd, name) => {
    checked(libc, libc.bind(fd, name, name.length));
  });
}

/** Opens a socket and connects it to its peer. */
export function openConnected(open: () => Libc, opening: Opening): OpenSocket {
  return openSocket(open, opening, (libc, fd, name) => {
    checked(libc, libc.connect(fd, name, name.length));
  });
}

/** If anything fails, nothing stays open. */
function openSocket(
  open: () => Libc,
  { address, places, options }: Opening,
  use: (libc: Libc, fd: number, name: Uint8Array<ArrayBuffer>) => void,
): OpenSocket {
  const { hostname } = address;
  if (!isIp(hostname)) {
    throw new errors.NotSupported(
      `offload binds IP addresses and localhost only, no other names: given ${hostname}`,
    );
  }
  const isAllowed = (at: Place) => new NetPermission(...at).isGranted;
  const [host, port] = places.find(isAllowed) ?? places[0];
  const place: NetAddr = { transport: "udp", hostname: host, port };
  using stack = new DisposableStack();
  const { poller } = share(open, place);
  stack.defer(() => void leave(open));
  const { libc } = poller;
  const family = hostname.includes(":") ? AF_INET6 : AF_INET;
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const socket = own(
    libc,
    checked(libc, libc.socket(family, type, 0)),
    place,
  );
  stack.defer(socket.close);
  setOptions(libc, socket.fd, options, family);
  use(libc, socket.fd, encodeAddress(libc, address));
  const addr = localAddress(libc, socket.fd);
  const watch = poller.add(socket.fd);
  stack.move();
  return {
    watch,
    addr,
    poller,
    hasMetadata: (options.metadata ?? []).length > 0,
    close() {
      socket.close();
      return leave(open);
    },
  };
}

function share(open: () => Libc, place: NetAddr): Shared {
  let sharing = shared.get(open);
  if (sharing === undefined) {
    const libc = open();
    try {
      sharing = { poller: new Poller(libc, place), sockets: 0 };
    } catch (error) {
      libc.unload();
      throw error;
    }
    shared.set(open, sharing);
  }
  sharing.sockets++;
  return sharing;
}

/** Ends the poller with its last socket. */
function leave(open: () => Libc): Promise<void> {
  const sharing = shared.get(open)!;
  if (--sharing.sockets > 0) return Promise.resolve();
  shared.delete(open);
  return sharing.poller.end();
}

/** Returns the address that a socket is bound to. */
function localAddress(libc: Libc, fd: number): NetAddr {
  const sockaddr = new Uint8Array(SOCKADDR_IN6.size);
  const size = new Uint8Array(new Uint32Array([sockaddr.length]).buffer);
  checked(libc, libc.getsockname(fd, sockaddr, size));
  return decodeAddress(new DataView(sockaddr.buffer), 0);
}

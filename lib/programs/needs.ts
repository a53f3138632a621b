import {
  isConnected,
  type NetAddr,
  type SchemeAddr,
  schemeOf,
  type UnixAddr,
} from "../addr.ts";
import { bracketed } from "../address/authority.ts";
import { isIp, isLoopback } from "../address/host.ts";
import { localHostFor } from "../carriers/peers.ts";

/** The permissions that a program needs: hosts (`true`: all), files, variables. */
export interface Needs {
  net?: string[] | true | undefined;
  read?: string[] | undefined;
  write?: string[] | undefined;
  /** Files that it would like to read and write, and can do without. */
  beside?: string[] | undefined;
  env?: string[] | undefined;
  /** Calls to libc. */
  ffi?: boolean | undefined;
  /** Programs that it would like to run, and can do without. */
  run?: string[] | undefined;
}

/** Every name that permissions know this machine by. */
const LOCALHOST = ["localhost", "127.0.0.1", "::1"];
const IPV4_LOOPBACK = "127.0.0.1";

/**
 * Returns the hosts that a permission has to name, so that the address is
 * permitted by whichever name it is bound or reached; `true` for any host. This
 * is the only place that expands `localhost`.
 */
function hostsOf(hostname: string): string[] | true {
  if (hostname === "localhost") return LOCALHOST;
  // A permission cannot name a zone.
  return hostname.includes("%") ? true : [hostname];
}

/** Hosts with a port, or with all of theirs, as a permission names them. */
function toUse(hosts: string[] | true, port?: number): Needs {
  if (hosts === true) return { net: true };
  const suffix = port === undefined ? "" : `:${port}`;
  return { net: hosts.map((host) => bracketed(host) + suffix) };
}

/**
 * To bind that address.
 *
 * @param looksUp Whether the carrier looks names up itself, so that permissions
 * are about an IP address that is not known yet.
 */
export function toBind(
  { hostname, port }: NetAddr,
  looksUp = false,
): Needs {
  if (looksUp && !isKnown(hostname)) return { net: true };
  return toUse(hostsOf(hostname), port);
}

/**
 * To bind that address and reply to its peers. Connections need no more; over UDP
 * the peers are known only if they are on loopback.
 */
export function toAnswer(address: SchemeAddr, looksUp = false): Needs {
  if (isConnected(address)) return toBind(address, looksUp);
  const { hostname } = address;
  if (hostname !== "localhost" && !isLoopback(hostname)) return { net: true };
  // To any address of 127.0.0.0/8 the system sends from 127.0.0.1.
  const peers = hostname.startsWith("127.") ? [IPV4_LOOPBACK] : [];
  return together(toUse(hostsOf(hostname)), toUse(peers));
}

/** To connect to that peer. */
export function toConnect(address: SchemeAddr): Needs {
  const { transport, hostname, port } = address;
  if (transport === "tcp") return toReach(address);
  if (!isKnown(hostname)) return { net: true };
  if (hostname === "localhost") return toUse(hostsOf(hostname));
  return together(
    toUse(hostsOf(localHostFor(hostname)), 0),
    toUse(hostsOf(hostname), port),
  );
}

/** To connect by TCP, which looks names up after the permission is checked. */
export function toReach(
  { hostname, port }: { hostname: string; port: number },
): Needs {
  return toUse(hostsOf(hostname), port);
}

/** To send to a server of one's own, from any port. */
export function toSendToSelf(address: SchemeAddr | UnixAddr): Needs {
  if ("path" in address) return toUseUnix(address.path);
  const hostname = ownHost(address.hostname);
  if (!isKnown(hostname)) return { net: true };
  return together(
    // The port is not known yet if it is any free one.
    toUse(hostsOf(hostname), address.port === 0 ? undefined : address.port),
    schemeOf(address) === "udp" || schemeOf(address) === "quic"
      ? toUse(hostsOf(localHostFor(hostname)), 0)
      : {},
  );
}

/** Returns the host by which a server is reached from its own machine. */
export function ownHost(hostname: string): string {
  if (hostname === "0.0.0.0") return IPV4_LOOPBACK;
  return hostname === "::" ? "::1" : hostname;
}

/** To send to a unix socket. */
export function toUseUnix(path: string): Needs {
  // No permission can name an abstract name, and it has no file.
  if (path.startsWith("\0")) return { net: true };
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return { net: [`unix:${absolute}`], write: [path] };
}

/** To bind a unix socket. */
export function toBindUnix(path: string): Needs {
  const needs = toUseUnix(path);
  return needs.net === true ? needs : together(needs, toKeep(path));
}

/** To read and write a file. */
export function toKeep(path: string): Needs {
  return { read: [path], write: [path] };
}

/** To write a store. Beside it SQLite has its log, which may be another file's. */
export function toStore(path: string): Needs {
  const beside = ["-wal", "-shm", "-wal.orphan"].map((end) => path + end);
  return { ...toKeep(path), beside };
}

/** Whether the IP addresses of a host are known without looking them up. */
function isKnown(hostname: string): boolean {
  return hostname === "localhost" || isIp(hostname);
}

/** Returns all of them. */
export function together(...needs: Needs[]): Needs {
  const all = <T>(lists: (T[] | undefined)[]) => {
    const items = lists.flatMap((list) => list ?? []);
    return items.length > 0 ? [...new Set(items)] : undefined;
  };
  const nets = needs.map(({ net }) => net);
  const hosts = all(nets.filter((net) => net !== true));
  return {
    net: nets.includes(true) ? true : hosts?.filter(isNotCovered),
    read: all(needs.map(({ read }) => read)),
    write: all(needs.map(({ write }) => write)),
    beside: all(needs.map(({ beside }) => beside)),
    env: all(needs.map(({ env }) => env)),
    run: all(needs.map(({ run }) => run)),
    ffi: needs.some(({ ffi }) => ffi),
  };
}

/** Whether no other entry is for all ports of its host. */
function isNotCovered(entry: string, _: number, all: string[]): boolean {
  return !all.includes(entry.replace(/:\d+$/, "")) || !/:\d+$/.test(entry);
}

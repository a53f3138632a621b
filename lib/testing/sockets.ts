import type { NetAddr } from "../addr.ts";
import { isMulticast } from "../address/host.ts";
import { errors } from "../errors.ts";
import type { Endpoint } from "./endpoint.ts";
import { simulatedHost } from "./places.ts";

// The range of ports that a system chooses from (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;
const ALL_HOSTS = "255.255.255.255";

/** The open sockets of a simulated network. */
export class Sockets {
  // By host and port, in the order in which they were bound.
  readonly #open = new Map<string, Endpoint[]>();
  // For each host: all dynamic ports below it are taken.
  readonly #freeFrom = new Map<string, number>();

  /** All of them. */
  get all(): Endpoint[] {
    return [...this.#open.values()].flat();
  }

  /**
   * Returns the socket that gets what is sent to an address: of several the last
   * one, as on Linux.
   */
  at({ hostname, port }: NetAddr): Endpoint | undefined {
    const there = this.#open.get(keyOf(hostname, port)) ?? [];
    return there.findLast(({ addr }) => addr.hostname === hostname) ??
      there.findLast(({ isOnAll }) => isOnAll);
  }

  /** Returns those that get what a socket sends to a group, or to all hosts. */
  members({ hostname: address, port }: NetAddr, from: Endpoint): Endpoint[] {
    if (!isForMany(address)) return [];
    const group = simulatedHost(address, "::");
    const { hostname: source } = from.source;
    return this.all.filter((endpoint) => {
      if (endpoint.addr.port !== port) return false;
      const { hostname } = endpoint.source;
      if (!isMulticast(group)) {
        return endpoint.isOnAll && isBroadcast(group, hostname);
      }
      return (hostname !== source || from.control.isLoopbackOn) &&
        endpoint.hears(group, source);
    });
  }

  /** @throws {Deno.errors.AddrInUse} Another socket has the address. */
  add(endpoint: Endpoint): void {
    const { addr, source: { hostname, port }, isOnAll, isShared } = endpoint;
    const key = keyOf(hostname, port);
    const others = this.#open.get(key) ?? [];
    const isTaken = others.some((other) =>
      (isOnAll || other.isOnAll || other.addr.hostname === addr.hostname) &&
      !(isShared && other.isShared)
    );
    if (isTaken) throw new errors.AddrInUse("Address already in use");
    this.#open.set(key, [...others, endpoint]);
  }

  delete(endpoint: Endpoint): void {
    const { hostname, port } = endpoint.source;
    const key = keyOf(hostname, port);
    const others = this.#open.get(key)?.filter((other) => other !== endpoint);
    if (others === undefined) return;
    if (others.length > 0) this.#open.set(key, others);
    else this.#open.delete(key);
    const first = this.#freeFrom.get(hostname) ?? FIRST_DYNAMIC_PORT;
    if (port >= FIRST_DYNAMIC_PORT && port < first) {
      this.#freeFrom.set(hostname, port);
    }
  }

  /** Returns the first free port of a host. */
  freePort(hostname: string): number {
    const first = this.#freeFrom.get(hostname) ?? FIRST_DYNAMIC_PORT;
    for (let port = first; port <= LAST_PORT; port++) {
      if (this.#open.has(keyOf(hostname, port))) continue;
      this.#freeFrom.set(hostname, port);
      return port;
    }
    throw new errors.AddrInUse(`no port of ${hostname} is free`);
  }
}

/** Whether an address can be that of several hosts. */
function isForMany(hostname: string): boolean {
  return isMulticast(hostname.split("%", 1)[0] ?? "") ||
    /^\d.*\.255$/.test(hostname);
}

/** Whether a host hears an address of broadcasts: of all, or of its /24. */
function isBroadcast(address: string, hostname: string): boolean {
  if (address === ALL_HOSTS) return true;
  const network = (host: string) => host.slice(0, host.lastIndexOf("."));
  return !hostname.includes(":") && network(address) === network(hostname);
}

function keyOf(hostname: string, port: number): string {
  return `${hostname} ${port}`;
}

import type { NetAddr } from "../addr.ts";
import { isMulticast } from "../address/host.ts";
import type { Carrier } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import { errors } from "../errors.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import { Host } from "./hosts.ts";
import { simulatedHost } from "./places.ts";
import { Sockets } from "./sockets.ts";

/** The hosts of a simulated network, and the sockets that are open on them. */
export class Endpoints {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #note: (text: string) => void;
  readonly #hosts = new Map<string, Host>();
  readonly #sockets = new Sockets();

  /** @param note Is told of crashes. */
  constructor(wire: Wire, clock: Clock, note: (text: string) => void) {
    this.#wire = wire;
    this.#clock = clock;
    this.#note = note;
  }

  /** All open sockets. */
  get all(): Endpoint[] {
    return this.#sockets.all;
  }

  /** Returns the open socket at an address. */
  at(address: NetAddr): Endpoint | undefined {
    return this.#sockets.at(address);
  }

  /** Returns those that get what a host sends to a group, or to all. */
  members(group: NetAddr, from: Endpoint): Endpoint[] {
    return this.#sockets.members(group, from);
  }

  /** Whether a host has not crashed, or was restarted since. */
  isUp(hostname: string): boolean {
    return this.#hosts.get(hostname)?.isUp ?? true;
  }

  /** Whether a host of that name was used. */
  isKnown(hostname: string): boolean {
    return this.#hosts.has(hostname);
  }

  /** Forgets a socket that is closed. */
  leave(endpoint: Endpoint): void {
    this.#sockets.delete(endpoint);
  }

  /** Returns a host, by its name as it is compared. */
  host(hostname: string): Host {
    let host = this.#hosts.get(hostname);
    if (host === undefined) {
      const clock = this.#clock;
      host = new Host(hostname, {
        clock,
        listen: (address) => this.listen(address, hostname),
        dial: (address) => this.dial(address, hostname),
        restart: () => this.#note(`${hostname} is restarted`),
        crash: () => {
          this.#note(`${hostname} crashes`);
          for (const endpoint of this.all) {
            if (endpoint.source.hostname === hostname) endpoint.close();
          }
        },
      });
      this.#hosts.set(hostname, host);
    }
    return host;
  }

  /** Opens a socket: on the host of its address, or else on that host. */
  listen(address: NetAddr, host: string): Endpoint {
    const hostname = simulatedHost(address.hostname, host);
    if (hostname === "0.0.0.0" || hostname === "::") {
      throw new errors.AddrNotAvailable(
        "on the simulated network a socket has one host's address",
      );
    }
    return this.open({ ...address, hostname }, hostname, false);
  }

  /**
   * Opens a socket as a system does: also at all addresses of a host, or at that
   * of a group.
   *
   * @param host The host of a socket whose address is of no single host.
   * @param isShared Whether others may have the same address.
   */
  open(address: NetAddr, host: string, isShared: boolean): Endpoint {
    const local = simulatedHost(address.hostname, host);
    const isOfHost = local !== "0.0.0.0" && local !== "::" &&
      !isMulticast(local);
    const hostname = isOfHost ? local : simulatedHost(host, host);
    const owner = this.host(hostname);
    if (!owner.isUp) {
      throw new errors.AddrNotAvailable(
        `the host ${hostname} has crashed; restart it`,
      );
    }
    const port = address.port || this.#sockets.freePort(hostname);
    const addr: NetAddr = { transport: "udp", hostname: local, port };
    const endpoint = new Endpoint(
      ...[this.#wire, addr, owner.clock] as const,
      { hostname, isShared },
    );
    this.#sockets.add(endpoint);
    return endpoint;
  }

  /** Opens a socket of a host to one peer. */
  dial({ hostname, port }: NetAddr, host: string): Promise<Carrier> {
    return Promise.try(() => {
      const local = { transport: "udp", hostname: host, port: 0 } as const;
      const endpoint = this.listen(local, host);
      const peer = simulatedHost(hostname, host);
      endpoint.remote = { transport: "udp", hostname: peer, port };
      return endpoint;
    });
  }
}

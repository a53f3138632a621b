import type { NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier } from "../carrier.ts";
import type { Clock } from "../clock.ts";
import { errors } from "../errors.ts";
import { Endpoint, type Wire } from "./endpoint.ts";
import { Host } from "./hosts.ts";
import { simulatedHost } from "./places.ts";

// The range of ports that a system chooses from (RFC 6335, section 6).
const FIRST_DYNAMIC_PORT = 49_152;
const LAST_PORT = 65_535;

/** The hosts of a simulated network, and the sockets that are open on them. */
export class Endpoints {
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #note: (text: string) => void;
  readonly #hosts = new Map<string, Host>();
  readonly #open = new Map<string, Endpoint>();

  /** @param note Is told of crashes. */
  constructor(wire: Wire, clock: Clock, note: (text: string) => void) {
    this.#wire = wire;
    this.#clock = clock;
    this.#note = note;
  }

  /** All open sockets. */
  get all(): Endpoint[] {
    return [...this.#open.values()];
  }

  /** Returns the open socket at an address. */
  at(address: NetAddr): Endpoint | undefined {
    return this.#open.get(formatAddress(address));
  }

  /** Whether a host has not crashed, or was restarted since. */
  isUp(hostname: string): boolean {
    return this.#hosts.get(hostname)?.isUp ?? true;
  }

  /** Forgets a socket that is closed. */
  leave({ addr }: Endpoint): void {
    this.#open.delete(formatAddress(addr));
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
            if (endpoint.addr.hostname === hostname) endpoint.close();
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
    const owner = this.host(hostname);
    if (!owner.isUp) {
      throw new errors.AddrNotAvailable(
        `the host ${hostname} has crashed; restart it`,
      );
    }
    const port = address.port === 0 ? this.#freePort(hostname) : address.port;
    const addr: NetAddr = { transport: "udp", hostname, port };
    const key = formatAddress(addr);
    if (this.#open.has(key)) {
      throw new errors.AddrInUse("Address already in use");
    }
    const endpoint = new Endpoint(this.#wire, addr, owner.clock);
    this.#open.set(key, endpoint);
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

  #freePort(hostname: string): number {
    for (let port = FIRST_DYNAMIC_PORT; port <= LAST_PORT; port++) {
      const key = formatAddress({ transport: "udp", hostname, port });
      if (!this.#open.has(key)) return port;
    }
    throw new errors.AddrInUse(`no port of ${hostname} is free`);
  }
}

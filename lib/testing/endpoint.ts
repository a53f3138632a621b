import type { Addr, NetAddr } from "../addr.ts";
import { errors } from "../errors.ts";
import type { Carrier } from "../carrier.ts";
import { fill } from "../carriers/fill.ts";
import type { Clock } from "../clock.ts";
import { EndpointControl } from "./endpoint_control.ts";
import { simulatedHost } from "./places.ts";

type Received = [Uint8Array<ArrayBuffer>, Addr];

/** What an endpoint needs from its network. */
export interface Wire {
  /** Returns a random number from 0 to 1, without 1. */
  readonly random: () => number;
  /** Takes a datagram. @returns A pause, if the sender has to make one. */
  carry(
    from: Endpoint,
    to: NetAddr,
    data: Uint8Array,
  ): Promise<void> | undefined;
  leave(endpoint: Endpoint): void;
}

/** What an endpoint of the facade of `node:dgram` has besides an address. */
export interface EndpointOptions {
  /** Its host. @default {that of its address} */
  readonly hostname?: string;
  /** Whether others may have the same address. @default {false} */
  readonly isShared?: boolean;
}

/**
 * A carrier of the simulated network. It behaves as `Deno.DatagramConn` does: it
 * cuts datagrams that are longer than the buffer, and rejects with the same
 * errors.
 */
export class Endpoint implements Carrier {
  readonly addr: NetAddr;
  /** What its datagrams come from: an address of its host. */
  readonly source: NetAddr;
  /** Whether others may have the same address. */
  readonly isShared: boolean;
  readonly control: EndpointControl = new EndpointControl();
  readonly clock: Clock;
  readonly random: () => number;
  remote?: Addr;
  readonly #wire: Wire;
  readonly #arrived: [Uint8Array, NetAddr][] = [];
  readonly #receivers: (PromiseWithResolvers<Received> & {
    buffer: Uint8Array<ArrayBuffer> | undefined;
  })[] = [];
  #closed = false;
  #dropped = 0;

  /**
   * @param addr Where it is bound: an address of its host, a group, or all.
   * @param clock The clock of its host.
   */
  constructor(
    wire: Wire,
    addr: NetAddr,
    clock: Clock,
    { hostname = addr.hostname, isShared = false }: EndpointOptions = {},
  ) {
    this.#wire = wire;
    this.addr = addr;
    this.source = { ...addr, hostname };
    this.isShared = isShared;
    this.clock = clock;
    this.random = wire.random;
  }

  receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Received> {
    if (this.#closed) return Promise.reject(closed());
    const arrival = this.#arrived.shift();
    if (arrival !== undefined) {
      const [data, from] = arrival;
      return Promise.resolve([fill(buffer, data), { ...from }]);
    }
    const receiver = { ...Promise.withResolvers<Received>(), buffer };
    this.#receivers.push(receiver);
    return receiver.promise;
  }

  async send(data: Uint8Array, to: Addr): Promise<number> {
    if (this.#closed) throw closed();
    const { length } = data;
    const pause = this.#wire.carry(
      this,
      to as NetAddr,
      new Uint8Array(data),
    );
    if (pause !== undefined) await pause;
    return length;
  }

  lookUp({ transport, hostname, port }: NetAddr): Promise<NetAddr> {
    const host = simulatedHost(hostname, this.source.hostname);
    return Promise.resolve({ transport, hostname: host, port });
  }

  close(): void {
    if (this.#closed) throw closed();
    this.#closed = true;
    this.#wire.leave(this);
    for (const { reject } of this.#receivers) {
      reject(new errors.Interrupted("operation canceled"));
    }
  }

  kernelDrops(): Promise<number> {
    return Promise.resolve(this.#dropped);
  }

  /** Whether a `receive` waits for a datagram. */
  get waits(): boolean {
    return this.#receivers.length > 0;
  }

  /** Whether it is bound to all addresses of its host. */
  get isOnAll(): boolean {
    const { hostname } = this.addr;
    return hostname === "0.0.0.0" || hostname === "::";
  }

  /** Whether it gets what a host sends to a group. */
  hears(group: string, source: string): boolean {
    return (this.isOnAll || this.addr.hostname === group) &&
      this.control.isMember(group, source);
  }

  /** How many datagrams have arrived and were not received. */
  get unread(): number {
    return this.#arrived.length;
  }

  /** Takes a datagram that arrives. @returns Whether there was room for it. */
  deliver(data: Uint8Array, from: NetAddr, room: number): boolean {
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      receiver.resolve([fill(receiver.buffer, data), { ...from }]);
    } else if (this.#arrived.length < room) {
      this.#arrived.push([data, from]);
    } else {
      this.#dropped++;
      return false;
    }
    return true;
  }
}

function closed(): Error {
  return new errors.BadResource("Socket has been closed");
}

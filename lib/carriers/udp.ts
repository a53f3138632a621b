import type { Addr, NetAddr } from "../addr.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import { isIp } from "../address/host.ts";
import { localHostFor, refuseMany } from "./peers.ts";
import { kernelDrops } from "./kernel_drops.ts";
import { checkFamily, localhostIn, NameCache, resolveHost } from "./resolve.ts";

/** What Deno's own UDP takes. */
export interface UdpOptions {
  family?: 4 | 6;
  reuseAddress?: boolean;
}

/** Deno's own UDP sockets: `Deno.listenDatagram`. */
export function udp({ family, reuseAddress }: UdpOptions = {}): CarrierSource {
  return {
    schemes: ["udp"],
    listen({ hostname, port }: NetAddr) {
      return listen(hostname, port, { family, reuseAddress });
    },
    async dial(address: NetAddr) {
      const { hostname, port } = address;
      const host = await resolveHost(hostname, family);
      refuseMany(host, address);
      const carrier = listen(localHostFor(host), 0);
      carrier.remote = { transport: "udp", hostname: host, port };
      return carrier;
    },
  };
}

/** Says in one line what is wrong where `Deno.listenDatagram` is missing. */
export function requireUnstableNet(): void {
  if (typeof Deno.listenDatagram === "function") return;
  throw new TypeError(
    'Deno.listenDatagram is missing: put "unstable": ["net"] into deno.json, or run with --unstable-net',
  );
}

class UdpCarrier implements Carrier {
  readonly addr: NetAddr;
  remote?: NetAddr;
  readonly #conn: Deno.DatagramConn & { ref?(): void; unref?(): void };
  readonly #names = new NameCache();
  #lastIp = "";

  constructor(conn: Deno.DatagramConn) {
    this.#conn = conn;
    const { hostname, port } = conn.addr as NetAddr;
    this.addr = { transport: "udp", hostname, port };
  }

  receive(p?: Uint8Array) {
    return this.#conn.receive(p);
  }

  send(p: Uint8Array, to: Addr): Promise<number> {
    const { hostname } = to as NetAddr;
    if (hostname === this.#lastIp) return this.#conn.send(p, to);
    if (!isIp(hostname)) return this.#sendToName(p, to as NetAddr);
    this.#lastIp = hostname;
    return this.#conn.send(p, to);
  }

  /** Deno would look it up at each send, and take any family's address. */
  async #sendToName(p: Uint8Array, to: NetAddr): Promise<number> {
    const family = this.addr.hostname.includes(":") ? 6 : 4;
    const hostname = await this.#names.resolve(to.hostname, family);
    return await this.#conn.send(p, { ...to, hostname });
  }

  close(): void {
    this.#conn.close();
  }

  kernelDrops(): Promise<number | undefined> {
    return kernelDrops(this.addr);
  }

  joinMulticastV4(group: string, networkInterface: string) {
    return this.#conn.joinMulticastV4(group, networkInterface);
  }

  joinMulticastV6(group: string, networkInterface: number) {
    return this.#conn.joinMulticastV6(group, networkInterface);
  }

  ref(): void {
    this.#conn.ref?.();
  }

  unref(): void {
    this.#conn.unref?.();
  }
}

function listen(
  hostname: string,
  port: number,
  { family, reuseAddress }: UdpOptions = {},
): UdpCarrier {
  requireUnstableNet();
  const conn = Deno.listenDatagram({
    transport: "udp",
    hostname: localhostIn(hostname, family),
    port,
    reuseAddress,
    // What is sent to a group reaches this machine's members too: every
    // system's default, which Deno turns off.
    loopback: true,
  });
  const carrier = new UdpCarrier(conn);
  try {
    checkFamily(carrier.addr.hostname, family);
    return carrier;
  } catch (error) {
    conn.close();
    throw error;
  }
}

import { copyAddr, type NetAddr } from "../../addr.ts";
import { isIp } from "../../address/host.ts";
import type { Carrier, CarrierMembership } from "../../carrier.ts";
import { kernelDrops } from "../kernel_drops.ts";
import { checkFamily, localhostIn, Resolver } from "../resolve.ts";
import { requireUnstableNet } from "../unstable_net.ts";

/** How Deno's own UDP sockets are opened: options of `bind` and `connect`. */
export interface UdpOptions {
  /**
   * The IP family, if a name has addresses in both.
   * @default {whichever the system prefers}
   */
  family?: 4 | 6 | undefined;
  /**
   * Whether to bind although another socket has the address (SO_REUSEADDR).
   * @default {false}
   */
  reuseAddress?: boolean | undefined;
}

/**
 * Opens a UDP socket at a local address.
 *
 * @param remote The peer of a carrier that is dialed.
 * @throws {TypeError} Deno's unstable datagram sockets are not enabled.
 * @throws {Deno.errors.AddrNotAvailable} The address is of the other family.
 */
export function openUdp(
  hostname: string,
  port: number,
  { family, reuseAddress }: UdpOptions = {},
  remote?: NetAddr,
): UdpCarrier {
  requireUnstableNet();
  const conn = Deno.listenDatagram({
    transport: "udp",
    hostname: localhostIn(hostname, family),
    port,
    ...(reuseAddress !== undefined && { reuseAddress }),
    // Deno turns off what every system does by default: that datagrams sent to a
    // group also reach the members on this machine
    // (https://github.com/denoland/deno/pull/17811 added the option). Remove
    // when Deno's default is true.
    loopback: true,
  });
  const carrier = new UdpCarrier(conn, remote);
  try {
    checkFamily(carrier.addr.hostname, family);
    return carrier;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** One UDP socket of Deno's. */
export class UdpCarrier implements Carrier {
  readonly addr: NetAddr;
  readonly remote?: NetAddr;
  // A copy: a program may change what it was given.
  readonly #addr: NetAddr;
  readonly #conn: Deno.DatagramConn & { ref?(): void; unref?(): void };
  readonly #hosts = new Resolver();
  #lastIp = "";

  constructor(conn: Deno.DatagramConn, remote?: NetAddr) {
    const { addr } = conn;
    if (addr.transport !== "udp") throw new TypeError("not a UDP socket");
    const { hostname, port } = addr;
    this.#conn = conn;
    this.#addr = { transport: "udp", hostname, port };
    this.addr = copyAddr(this.#addr);
    if (remote !== undefined) this.remote = copyAddr(remote);
  }

  receive(p?: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    return this.#conn.receive(p);
  }

  send(p: Uint8Array, to: NetAddr): Promise<number> {
    const { hostname } = to;
    if (hostname === this.#lastIp) return this.#conn.send(p, to);
    if (!isIp(hostname)) return this.#sendResolved(p, to);
    this.#lastIp = hostname;
    return this.#conn.send(p, to);
  }

  /**
   * Deno would resolve the host at each send, and take the first address of any
   * family. No upstream issue is known. Remove when `send` takes an address of
   * the socket's family.
   */
  async #sendResolved(p: Uint8Array, to: NetAddr): Promise<number> {
    return await this.#conn.send(p, await this.lookUp(to));
  }

  async lookUp({ hostname, port }: NetAddr): Promise<NetAddr> {
    const family = this.#addr.hostname.includes(":") ? 6 : 4;
    const host = await this.#hosts.resolve(hostname, family);
    return { transport: "udp", hostname: host, port };
  }

  close(): void {
    this.#conn.close();
  }

  kernelDrops(): Promise<number | undefined> {
    return kernelDrops(this.#addr);
  }

  joinMulticastV4(
    group: string,
    networkInterface: string,
  ): Promise<CarrierMembership> {
    return this.#conn.joinMulticastV4(group, networkInterface);
  }

  joinMulticastV6(
    group: string,
    networkInterface: number,
  ): Promise<CarrierMembership> {
    return this.#conn.joinMulticastV6(group, networkInterface);
  }

  ref(): void {
    this.#conn.ref?.();
  }

  unref(): void {
    this.#conn.unref?.();
  }
}

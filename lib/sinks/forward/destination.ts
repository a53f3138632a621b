import {
  type Addr,
  type NetAddr,
  quickAddr,
  type SchemeAddr,
  schemeOf,
  type UnixAddr,
} from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import { comparableHost, isIp, isLoopback } from "../../address/host.ts";
import { errors, InvalidAddressError } from "../../errors.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { isOwnHost } from "./own_host.ts";

/** Where messages are forwarded to; it recognizes what comes from there. */
export class Destination {
  /** The address, with its name if it has one. */
  readonly address: SchemeAddr | UnixAddr;
  /** The same as text. */
  readonly text: string;
  readonly #own: Addr;
  readonly #isVirtual: boolean;
  // Its hosts, and whether they are on this machine.
  readonly #hosts = new Map<string, boolean>();
  #resolved: Promise<readonly string[]> | undefined;

  /** @param socket The socket whose messages are forwarded. */
  constructor(
    address: SchemeAddr | UnixAddr,
    socket: DatagramSocket<Addr>,
  ) {
    this.address = address;
    this.text = formatAddress(address);
    this.#own = socket.addr;
    this.#isVirtual = socket.clock.isVirtual === true;
  }

  /**
   * Returns its IP addresses; none for a path. A name is looked up once.
   *
   * @throws {InvalidAddressError} It is the socket's own address.
   * @throws {Deno.errors.NotFound} The name is unknown, so far.
   */
  hosts(): Promise<readonly string[]> {
    return this.#resolved ??= this.#resolve().catch((error) => {
      if (!(error instanceof InvalidAddressError)) this.#resolved = undefined;
      throw error;
    });
  }

  /**
   * Notes the two ends of a connection to it.
   *
   * @throws {InvalidAddressError} It leads to the socket itself.
   */
  connected(remote: Addr, local: Addr): void {
    if (!("hostname" in remote) || !("hostname" in local)) return;
    const isHere = comparableHost(remote.hostname) ===
      comparableHost(local.hostname);
    this.#add(remote, isHere);
  }

  /** Whether a message is from there: from its host, or here from its port. */
  isSource(from: Addr): boolean {
    const { address } = this;
    if (!("hostname" in from) || !("hostname" in address)) return false;
    const { hostname, port, transport } = quickAddr(from);
    const isHere = this.#hosts.get(
      hostname.includes(":") ? comparableHost(hostname) : hostname,
    );
    return isHere === false ||
      isHere === true && port === address.port &&
        transport === address.transport;
  }

  async #resolve(): Promise<readonly string[]> {
    const { address } = this;
    if ("path" in address) {
      const isOwn = "path" in this.#own && this.#own.path === address.path;
      if (isOwn) throw this.#isItself();
      return [];
    }
    const hosts = await lookUp(address.hostname);
    for (const host of hosts) {
      // A simulated host has no address of this machine.
      const isHere = !this.#isVirtual && await isOwnHost(host);
      this.#add({ ...address, hostname: host }, isHere);
    }
    return hosts;
  }

  #add({ hostname, port }: NetAddr, isHere: boolean): void {
    const host = comparableHost(hostname);
    const own = this.#own;
    const isOwn = "hostname" in own && comparableHost(own.hostname) === host;
    const isLocal = isHere || isOwn || isLoopback(host) ||
      this.#hosts.get(host) === true;
    this.#hosts.set(host, isLocal);
    if (isLocal && this.#leadsBack(host, port)) throw this.#isItself();
  }

  /** Whether what is sent to that port of this machine reaches the socket. */
  #leadsBack(host: string, port: number): boolean {
    const own = this.#own;
    const { address } = this;
    if (!("hostname" in own) || !("hostname" in address)) return false;
    if (own.transport !== address.transport || own.port !== port) return false;
    const bound = comparableHost(own.hostname);
    return bound === host || bound === "::" ||
      bound === "0.0.0.0" && !host.includes(":");
  }

  #isItself(): InvalidAddressError {
    return new InvalidAddressError(
      this.text,
      `that is the address of the server itself, ${
        formatAddress(this.#own)
      }: messages would come back; give another one`,
    );
  }
}

/** Returns all IP addresses of a host. */
async function lookUp(hostname: string): Promise<readonly string[]> {
  if (isIp(hostname)) return [hostname];
  if (hostname.toLowerCase() === "localhost") return ["127.0.0.1", "::1"];
  // Loading it takes long, and only names need it.
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new errors.NotFound(`unknown host ${hostname}`, { cause });
  }
}

/** Whether datagrams are sent to it one by one, without a connection. */
export function isUdp(address: Addr): address is SchemeAddr {
  return schemeOf(address) === "udp";
}

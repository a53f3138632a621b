import {
  type Addr,
  quickAddr,
  type Scheme,
  type SchemeAddr,
  schemeOf,
} from "../addr.ts";
import { requireScheme, toDestination } from "../address/address.ts";
import { canonicalHost } from "../address/authority.ts";
import { isIp, plainIpv4 } from "../address/host.ts";
import type { OperationFields } from "../errors.ts";
import { BoundedMap } from "../limits/bounded_map.ts";

// The length field of a datagram has 16 bits and counts the headers too: 8 bytes
// of UDP (RFC 768), and for IPv4 20 more (RFC 791).
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;

/** A checked address, and what a send needs to know of it. */
export interface Destination {
  readonly to: Addr;
  /** Whether its host has to be looked up. */
  readonly isName: boolean;
  /** The longest datagram of its address family, in bytes. */
  readonly largest: number;
}

/** A destination with a host and a port. */
type Known = Destination & { readonly to: SchemeAddr };

/** What the text of a host says. */
interface Host extends Omit<Destination, "to"> {
  readonly host: string | undefined;
  /** The last address with that host. */
  last?: Known;
}

/**
 * The addresses that a socket sends to. Each is read once, checked, compared
 * with the socket's scheme and copied: a carrier never gets an object that the
 * program can change.
 */
export class Destinations {
  readonly #scheme: string;
  readonly #fields: OperationFields;
  // Most sends go to the same peer as the one before.
  #last: Known | undefined;
  // Checking the text of a host takes 1 to 2 µs.
  readonly #hosts = new BoundedMap((hostname) => this.#read(hostname));
  readonly #isIpv4: boolean;
  readonly #hasHost: boolean;

  constructor(local: Addr) {
    this.#scheme = schemeOf(local);
    this.#hasHost = "hostname" in local;
    this.#isIpv4 = "hostname" in local && !local.hostname.includes(":");
    this.#fields = { operation: "send", local };
  }

  /**
   * Returns the checked address.
   *
   * @throws {InvalidAddressError} It is not an address, its port is 0, or its
   * scheme is not the socket's.
   * @throws {Deno.errors.NotSupported} It is a `unix:` peer without a path.
   */
  get(to: string | Addr): Destination {
    if (typeof to !== "object" || to === null || !("hostname" in to)) {
      return this.#check(to);
    }
    const { transport, hostname, port, scheme } = quickAddr(to);
    if (typeof port !== "number") return this.#check(to);
    const last = this.#last;
    if (isAt(last, transport, hostname, port, scheme)) return last;
    const known = typeof hostname === "string" &&
        (scheme ?? transport) === this.#scheme &&
        Number.isInteger(port) && port > 0 && port <= 65_535
      ? this.#hosts.get(hostname)
      : undefined;
    const before = known?.last;
    if (isAt(before, transport, hostname, port, scheme)) {
      return this.#last = before;
    }
    const { host = hostname } = known ?? {};
    const copy: SchemeAddr = { transport, hostname: host, port };
    if (scheme !== undefined) copy.scheme = scheme;
    if (known?.host === undefined) return this.#check(copy);
    const { isName, largest } = known;
    return this.#last = known.last = { to: copy, isName, largest };
  }

  #check(given: string | Addr): Destination {
    const checked = toDestination(given, this.#fields);
    // A vsock carrier is not this library's; its scheme cannot be compared.
    if (this.#scheme !== "vsock") {
      requireScheme(checked, [this.#scheme as Scheme], "this socket", {
        ...this.#fields,
        remote: checked,
      });
    }
    if (!("hostname" in checked)) {
      return { to: checked, isName: false, largest: MAX_SIZE_IPV6 };
    }
    const { host = checked.hostname, isName, largest } = this.#hosts.get(
      checked.hostname,
    );
    return { to: { ...checked, hostname: host }, isName, largest };
  }

  #read(hostname: string): Host {
    const canonical = canonicalHost(hostname);
    // An IPv4 socket cannot send to `::ffff:a.b.c.d`, which is the same host.
    const host = canonical !== undefined && this.#isIpv4
      ? plainIpv4(canonical)
      : canonical;
    const isName = host !== undefined && !isIp(host);
    return { host, isName, largest: this.#largest(host ?? hostname, isName) };
  }

  #largest(host: string, isName: boolean): number {
    if (!this.#hasHost) return MAX_SIZE_IPV6;
    // A name is looked up in the socket's family.
    const isIpv6 = host.includes(":")
      ? !host.startsWith("::ffff:")
      : isName && !this.#isIpv4;
    return isIpv6 ? MAX_SIZE_IPV6 : MAX_SIZE_IPV4;
  }
}

/** Whether a destination is that address. */
function isAt(
  known: Known | undefined,
  transport: string,
  hostname: string,
  port: number,
  scheme: string | undefined,
): known is Known {
  if (known === undefined) return false;
  const { to } = known;
  return port === to.port && hostname === to.hostname &&
    transport === to.transport && scheme === to.scheme;
}

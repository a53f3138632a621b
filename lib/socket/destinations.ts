import { type Addr, type Scheme, type SchemeAddr, schemeOf } from "../addr.ts";
import {
  canonicalHost,
  requireScheme,
  toDestination,
} from "../address/address.ts";
import { plainIpv4 } from "../address/host.ts";
import type { OperationFields } from "../errors.ts";
import { BoundedMap } from "../limits/bounded_map.ts";

/**
 * The addresses that a socket sends to. Each is read once, checked, compared
 * with the socket's scheme and copied: a carrier never gets an object that the
 * program can change.
 */
export class Destinations {
  readonly #scheme: string;
  readonly #fields: OperationFields;
  // Most sends go to the same peer as the one before.
  #last: SchemeAddr | undefined;
  // Hosts in canonical form, as checking the text of an address takes 1 to 2 µs.
  readonly #hosts = new BoundedMap((hostname) => {
    const host = canonicalHost(hostname);
    return host === undefined ? undefined : this.#inFamily(host);
  });
  readonly #isIpv4: boolean;

  constructor(local: Addr) {
    this.#scheme = schemeOf(local);
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
  get(to: string | Addr): Addr {
    if (typeof to !== "object" || to === null || !("hostname" in to)) {
      return this.#check(to);
    }
    const { transport, hostname, port, scheme } = to;
    if (typeof port !== "number") return this.#check(to);
    const last = this.#last;
    if (
      last !== undefined && port === last.port && hostname === last.hostname &&
      transport === last.transport && scheme === last.scheme
    ) return last;
    const host = typeof hostname === "string" &&
        (scheme ?? transport) === this.#scheme &&
        Number.isInteger(port) && port > 0 && port <= 65_535
      ? this.#hosts.get(hostname)
      : undefined;
    const copy: SchemeAddr = { transport, hostname: host ?? hostname, port };
    if (scheme !== undefined) copy.scheme = scheme;
    return this.#last = host === undefined
      ? this.#check(copy) as SchemeAddr
      : copy;
  }

  #check(to: string | Addr): Addr {
    const checked = toDestination(to, this.#fields);
    // A vsock carrier is not this library's; its scheme cannot be compared.
    if (this.#scheme === "vsock") return checked;
    requireScheme(checked, [this.#scheme as Scheme], "this socket", {
      ...this.#fields,
      remote: checked,
    });
    return "hostname" in checked
      ? { ...checked, hostname: this.#inFamily(checked.hostname) }
      : checked;
  }

  /** An IPv4 socket cannot send to `::ffff:a.b.c.d`, which is the same host. */
  #inFamily(host: string): string {
    return this.#isIpv4 ? plainIpv4(host) : host;
  }
}

import { type Addr, type NetAddr, type SchemeAddr, schemeOf } from "../addr.ts";
import { requireScheme, toDestination } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import type { OperationFields } from "../errors.ts";

/**
 * The addresses that a socket sends to. Each is checked, compared with the
 * socket's scheme and copied: what a carrier gets is never an object that the
 * program can change.
 */
export class Destinations {
  readonly #local: Addr;
  readonly #fields: OperationFields;
  // Most sends go to the peer of the one before, or to a host that was checked
  // before: to check the text of each address costs 1 to 2 µs.
  #last: SchemeAddr | undefined;
  #lastHost: string | undefined;

  constructor(local: Addr) {
    this.#local = local;
    this.#fields = { operation: "send", local };
  }

  /**
   * Returns the checked address.
   *
   * @throws {InvalidAddressError} Not an address, port 0, or another scheme.
   * @throws {Deno.errors.NotSupported} A `unix:` peer without a path.
   */
  get(to: string | Addr): Addr {
    if (typeof to !== "object" || to === null || !("hostname" in to)) {
      return this.#check(to);
    }
    const last = this.#last;
    if (
      last === undefined || to.port !== last.port ||
      to.hostname !== last.hostname || to.transport !== last.transport ||
      to.scheme !== last.scheme
    ) return this.#last = this.#copy(to);
    return last;
  }

  #copy(to: SchemeAddr): NetAddr {
    const { hostname, port } = to;
    if (
      hostname === this.#lastHost && schemeOf(to) === schemeOf(this.#local) &&
      Number.isInteger(port) && port > 0 && port <= 65_535
    ) return { ...to };
    const checked = this.#check(to) as NetAddr;
    this.#lastHost = isIp(checked.hostname) ? checked.hostname : undefined;
    return checked;
  }

  #check(to: string | Addr): Addr {
    const checked = toDestination(to, this.#fields);
    const own = schemeOf(this.#local);
    // A vsock carrier is not this library's; it names no scheme to compare.
    if (own === "vsock") return checked;
    requireScheme(checked, [own], "this socket", this.#fields);
    return checked;
  }
}

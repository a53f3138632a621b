import type { Addr, SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress, toDestination } from "./address.ts";
import { comparableHost } from "./host.ts";
import { InvalidAddressError } from "../errors.ts";

/**
 * Reads the address of a destination.
 *
 * @throws {InvalidAddressError} It is not an address, or one that nothing has.
 */
export function forwardAddress(to: string | Addr): SchemeAddr | UnixAddr {
  const address = toDestination(to, { operation: "forward" });
  if ("path" in address) return address;
  const host = comparableHost(address.hostname);
  if (host !== "0.0.0.0" && host !== "::") return address;
  throw new InvalidAddressError(
    formatAddress(address),
    "nothing has the unspecified address; give that of a host",
  );
}

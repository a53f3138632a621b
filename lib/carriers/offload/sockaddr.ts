import type { NetAddr } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import { ipBytes, ipText } from "../../address/host.ts";
import { InvalidAddressError } from "../../errors.ts";
import { SOCKADDR_IN, SOCKADDR_IN6 } from "./layout.ts";
import { AF_INET, AF_INET6, type Libc } from "./libc.ts";

/** An address as the system takes it. */
export type Sockaddr = Uint8Array<ArrayBuffer>;

/**
 * Encodes an address as the system takes it: a `sockaddr_in` or `sockaddr_in6`.
 *
 * @throws {InvalidAddressError} Its zone is not an interface of this machine.
 */
export function encodeAddress(
  libc: Libc,
  address: NetAddr,
): Sockaddr {
  const { hostname, port } = address;
  const [host = "", zone] = hostname.split("%", 2);
  const bytes = ipBytes(host);
  const inet6 = host.includes(":");
  const layout = inet6 ? SOCKADDR_IN6 : SOCKADDR_IN;
  const view = new DataView(new ArrayBuffer(layout.size));
  view.setUint16(layout.family, inet6 ? AF_INET6 : AF_INET, true);
  view.setUint16(layout.port, port);
  const encoded = new Uint8Array(view.buffer);
  if (inet6) {
    encoded.set(bytes, SOCKADDR_IN6.addr);
    if (zone !== undefined) {
      const scope = interfaceIndex(libc, formatAddress(address), zone);
      view.setUint32(SOCKADDR_IN6.scope, scope, true);
    }
  } else encoded.set(bytes.subarray(12), SOCKADDR_IN.addr);
  return encoded;
}

/** Decodes an address. A link-local one has the number of its interface as zone. */
export function decodeAddress(view: DataView, offset: number): NetAddr {
  const inet6 = view.getUint16(offset, true) === AF_INET6;
  const layout = inet6 ? SOCKADDR_IN6 : SOCKADDR_IN;
  const bytes = new Uint8Array(
    view.buffer,
    view.byteOffset + offset + layout.addr,
    inet6 ? 16 : 4,
  );
  const scope = inet6 ? view.getUint32(offset + SOCKADDR_IN6.scope, true) : 0;
  const zone = scope === 0 ? "" : `%${scope}`;
  return {
    transport: "udp",
    hostname: ipText(bytes) + zone,
    port: view.getUint16(offset + layout.port),
  };
}

/**
 * Returns the index of the interface that a zone names.
 *
 * @param address Whose zone it is, for the message of an error.
 * @throws {InvalidAddressError} There is no such interface.
 */
export function interfaceIndex(
  libc: Libc,
  address: string,
  zone: string,
): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const index = libc.if_nametoindex(new TextEncoder().encode(`${zone}\0`));
  if (index > 0) return index;
  throw new InvalidAddressError(
    address,
    `there is no interface ${zone} here`,
  );
}

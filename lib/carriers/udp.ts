/**
 * Deno's own UDP sockets (`Deno.listenDatagram`) as a carrier: what `udp://`
 * addresses use unless a carrier is passed.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { localHostFor, refuseMany } from "./peers.ts";
import { resolveHost } from "./resolve.ts";
import { openUdp, type UdpOptions } from "./udp/carrier.ts";

export type { UdpOptions } from "./udp/carrier.ts";

/** Returns a source that carries datagrams by Deno's own UDP sockets. */
export function udp(options: UdpOptions = {}): CarrierSource {
  return {
    schemes: ["udp"],
    listen: ({ hostname, port }: NetAddr) => openUdp(hostname, port, options),
    async dial(address: NetAddr) {
      const { hostname, port } = address;
      const host = await resolveHost(hostname, options.family);
      refuseMany(host, address);
      const carrier = openUdp(localHostFor(host), 0);
      carrier.remote = { transport: "udp", hostname: host, port };
      return carrier;
    },
  };
}

import type { NetAddr } from "../../addr.ts";
import { isUnspecified } from "../../address/peer.ts";
import type { CarrierSource } from "../../carrier.ts";
import { localHostFor, refuseMany } from "../peers.ts";
import { localhostIn, resolveHost } from "../resolve.ts";
import { OffloadCarrier } from "./carrier.ts";
import type { Libc } from "./libc.ts";
import { checkOptions, type OffloadOptions } from "./options.ts";
import { NetPermission } from "./permissions.ts";
import { openBound, openConnected, type Place } from "./system.ts";

// Where Deno may bind a socket for a moment, for which a permission is needed.
const PLACES = ["127.0.0.1", "::1", "0.0.0.0", "::"]
  .map((host): Place => [host, 0]);

/** Returns the source of sockets that use this C library. */
export function offloadBy(
  open: () => Libc,
  given: OffloadOptions = {},
): CarrierSource {
  const options = checkOptions(given);
  return {
    schemes: ["udp"],
    listen({ hostname, port }: NetAddr) {
      const local = localhostIn(hostname, 4);
      new NetPermission(local, port).require();
      const places: [Place, ...Place[]] = [[local, 0], ...PLACES];
      // With reusePort others may have the port already.
      if (!options.reusePort) places.push([local, port]);
      const address: NetAddr = { transport: "udp", hostname: local, port };
      const socket = openBound(open, {
        ...{ address, places },
        options: isUnspecified(local)
          ? { ...options, metadata: [...options.metadata ?? [], "to"] }
          : options,
      });
      return new OffloadCarrier(socket);
    },
    async dial(address: NetAddr) {
      const { hostname, port } = address;
      const host = await resolveHost(hostname);
      refuseMany(host, address);
      new NetPermission(host, port).require();
      const remote: NetAddr = { transport: "udp", hostname: host, port };
      const places = [[localHostFor(host), 0], ...PLACES] as const;
      const socket = openConnected(open, { address: remote, places, options });
      return new OffloadCarrier(socket, remote);
    },
  };
}

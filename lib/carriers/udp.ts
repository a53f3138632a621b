/**
 * Deno's own UDP sockets (`Deno.listenDatagram`) as a carrier: what `udp://`
 * addresses use unless a carrier is passed.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource, DialOptions } from "../carrier.ts";
import { plainIpv4 } from "../address/host.ts";
import type { ListenOptions } from "../control.ts";
import { errors } from "../errors.ts";
import { localHostFor, refuseMany } from "./peers.ts";
import { resolveHost } from "./resolve.ts";
import { openUdp, type UdpOptions } from "./udp/carrier.ts";

export type { UdpOptions } from "./udp/carrier.ts";

/** Returns a source that carries datagrams by Deno's own UDP sockets. */
export function udp(options: UdpOptions = {}): CarrierSource {
  return {
    schemes: ["udp"],
    listen({ hostname, port }: NetAddr, asked: ListenOptions = {}) {
      requireSettable(asked);
      const { reuseAddress = options.reuseAddress } = asked;
      return openUdp(hostname, port, { ...options, reuseAddress });
    },
    async dial(address: NetAddr, dialing: DialOptions = {}) {
      const { hostname, port } = address;
      const { family } = options;
      const resolved = await resolveHost(hostname, family);
      // A lookup cannot be canceled.
      dialing.signal?.throwIfAborted();
      // An IPv4 socket reaches an IPv4 peer, and may be bound on loopback only.
      const host = family === 6 ? resolved : plainIpv4(resolved);
      refuseMany(host, address);
      const remote: NetAddr = { transport: "udp", hostname: host, port };
      return openUdp(localHostFor(host), 0, {}, remote);
    },
  };
}

/** Checks that nothing is asked for that Deno's own sockets cannot set. */
function requireSettable({ reuseAddress: _, ...others }: ListenOptions): void {
  for (const [name, value] of Object.entries(others)) {
    if (!value) continue;
    throw new errors.NotSupported(
      `Deno's own UDP does not set ${name}; dgram() and offload() may`,
    );
  }
}

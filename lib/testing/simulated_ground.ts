import { nextTick } from "node:process";
import type { NetAddr } from "../addr.ts";
import { isIp } from "../address/host.ts";
import type { Ground } from "../dgram/ground.ts";
import { currentHost } from "./current_host.ts";
import type { Endpoints } from "./endpoints.ts";
import { simulatedHost } from "./places.ts";
import type { HostNames } from "./virtual/world.ts";

/**
 * Sockets of `node:dgram` on a simulated network.
 *
 * @param hostname Their host. @default {the one on which the program runs}
 */
export function simulatedGround(
  endpoints: Endpoints,
  hostname: string | undefined,
): Ground {
  const own = (isIpv6: boolean) =>
    hostname ?? currentHost() ?? (isIpv6 ? "::1" : "127.0.0.1");
  return {
    open(address: NetAddr, { reuseAddress = false, reusePort = false }) {
      const host = own(address.hostname.includes(":"));
      return endpoints.open(address, host, reuseAddress || reusePort);
    },
    // A name is that of a host.
    lookup: () => (name, family, callback) => {
      const host = simulatedHost(name, family === 6 ? "::1" : "127.0.0.1");
      nextTick(callback, null, host, family);
    },
    localhost: (type) => own(type === "udp6"),
  };
}

/** The hosts of a simulated network, as programs on it look them up. */
export function hostNames(endpoints: Endpoints): HostNames {
  return {
    addressOf(name, family) {
      const host = simulatedHost(name, family === 6 ? "::1" : "127.0.0.1");
      const isKnown = isIp(host) || endpoints.isKnown(host);
      return isKnown ? host : undefined;
    },
    current: () => currentHost() ?? "127.0.0.1",
  };
}

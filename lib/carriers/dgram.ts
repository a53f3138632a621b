/**
 * UDP by `node:dgram`: what `udp://` addresses use on Node and Bun unless a
 * carrier is passed, and a carrier to choose on Deno.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource, DialOptions } from "../carrier.ts";
import { isIp, plainIpv4 } from "../address/host.ts";
import type { ListenOptions } from "../control.ts";
import { errors } from "../errors.ts";
import { DgramCarrier } from "./dgram/carrier.ts";
import { type DgramOptions, readOptions, withAsked } from "./dgram/options.ts";
import { localHostFor, refuseMany } from "./peers.ts";
import { checkFamily, localhostIn, resolveHost } from "./resolve.ts";

export type { DgramOptions } from "./dgram/options.ts";

/**
 * Carries UDP by `node:dgram`, on Deno, Node and Bun. On Node and Bun it is what
 * `bind` and `connect` use by themselves. On Deno it needs no
 * `"unstable": ["net"]`, and sets what Deno's own sockets cannot: `ttl`, the
 * interface for groups, and memberships for one source. It takes several times
 * the CPU there.
 *
 * `node:dgram` reads whether or not the program receives, so datagrams wait in
 * memory: at most `maxWaiting`. More are counted as `dropped.queueFull`.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type.
 * @throws {Deno.errors.NotSupported} The size of a system's buffer, on Deno. When
 * a socket is bound: to a name other than `localhost`.
 *
 * @example
 * ```ts
 * import { bind, dgram } from "@pli/datagram";
 *
 * const carrier = dgram({ ttl: 4, maxWaiting: 1000 });
 * await using socket = bind("udp://127.0.0.1:0", { carrier });
 * await socket.send("Bonjour", socket.addr); // to itself
 * console.log((await socket.receive()).text());
 * ```
 */
export function dgram(options: DgramOptions = {}): CarrierSource {
  const settings = readOptions(options);
  const { family } = settings;
  return {
    schemes: ["udp"],
    listen({ hostname, port }: NetAddr, asked: ListenOptions = {}) {
      const host = localhostIn(hostname, family ?? 4);
      if (!isIp(host)) {
        throw new errors.NotSupported(
          "node:dgram cannot look up a name at once; give an IP address of this machine",
        );
      }
      checkFamily(host, family);
      return new DgramCarrier(host, port, withAsked(settings, asked));
    },
    async dial(address: NetAddr, dialing: DialOptions = {}) {
      const { hostname, port } = address;
      const resolved = await resolveHost(hostname, family);
      // A lookup cannot be canceled.
      dialing.signal?.throwIfAborted();
      // An IPv4 socket reaches an IPv4 peer, and may be bound on loopback only.
      const host = family === 6 ? resolved : plainIpv4(resolved);
      refuseMany(host, address);
      const remote: NetAddr = { transport: "udp", hostname: host, port };
      const own = { ...settings, reuseAddress: undefined };
      return new DgramCarrier(localHostFor(host), 0, own, remote);
    },
  };
}

/**
 * UDP on Linux with segmentation offload: many datagrams per system call, by way
 * of libc. Used behind `bind` and `connect` like any other carrier.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { requireDeno } from "../runtime.ts";
import { OffloadCarrier } from "./offload/carrier.ts";
import { type Libc, systemLibc } from "./offload/libc.ts";
import { checkOptions, type OffloadOptions } from "./offload/options.ts";
import { NetPermission } from "./offload/permissions.ts";
import { openBound, openConnected, type Place } from "./offload/system.ts";
import { localHostFor, refuseMany } from "./peers.ts";
import { localhostIn, resolveHost } from "./resolve.ts";

export type { OffloadOptions } from "./offload/options.ts";

// Where Deno may bind a socket for a moment, for which a permission is needed.
const PLACES = ["127.0.0.1", "::1", "0.0.0.0", "::"]
  .map((host): Place => [host, 0]);

/**
 * Carries UDP by Linux's own system calls. `sendMany` gives the kernel each run
 * of equally long datagrams to one peer in one piece (UDP_SEGMENT), and the
 * kernel delivers them in runs (UDP_GRO, recvmmsg). It needs `--allow-ffi`
 * besides the network's permissions, which it checks itself.
 *
 * A connected socket learns that its peer refuses datagrams (ICMP): the send
 * that was refused rejects with `Deno.errors.ConnectionRefused`, or, if the
 * refusal arrives later, the waiting `receive` does. Of a refused batch, the
 * last message is the one that failed.
 *
 * @throws {Deno.errors.NotSupported} Not Deno, or not Linux on x86-64 or arm64.
 * @throws {Deno.errors.NotCapable} Needs `--allow-ffi`.
 * @throws {RangeError} A buffer size is out of range. When a socket is opened:
 * it is larger than the system allows.
 *
 * @example
 * ```ts ignore
 * import { bind } from "@pli/datagram";
 * import { offload } from "@pli/datagram/offload";
 *
 * await using socket = bind("udp://127.0.0.1:0", { carrier: offload() });
 * for await (const batch of socket.batches({ max: 1000 })) {
 *   console.log(batch.length);
 * }
 * ```
 */
export function offload(options: OffloadOptions = {}): CarrierSource {
  requireDeno(
    "offload",
    "leave it out, and node:dgram carries udp:// addresses",
  );
  return offloadBy(systemLibc(), options);
}

/**
 * Like {@linkcode offload}, with a C library that a test provides.
 *
 * @internal
 */
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
      return new OffloadCarrier(openBound(open, { address, places, options }));
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

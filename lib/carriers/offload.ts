/**
 * UDP on Linux with segmentation offload: many datagrams per system call, by way
 * of libc. Used behind `bind` and `connect` like any other carrier.
 *
 * @module
 */
import type { CarrierSource } from "../carrier.ts";
import { requireDeno } from "../runtime.ts";
import { systemLibc } from "./offload/libc.ts";
import type { OffloadOptions } from "./offload/options.ts";
import { offloadBy } from "./offload/source.ts";

export type { LeavingOptions } from "./leaving.ts";
export type { OffloadOptions } from "./offload/options.ts";

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

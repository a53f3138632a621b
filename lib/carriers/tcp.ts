/**
 * Messages over TCP, for `tcp://` addresses: what they use unless a carrier is
 * passed.
 *
 * While a connection lasts, no message is lost or reordered; a slow reader makes
 * its sender wait. A bound socket holds all its connections: `from` identifies
 * them, and it can send to connected peers only. A peer that does not read delays
 * no other.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource, DialOptions } from "../carrier.ts";
import { requireDeno } from "../runtime.ts";
import { BoundCarrier } from "./tcp/bound.ts";
import { connectWithin } from "./tcp/dial.ts";
import { DialedCarrier } from "./tcp/dialed.ts";
import { checkOptions, type TcpOptions } from "./tcp/limits.ts";

export type { FramingName } from "./tcp/framing.ts";
export type { TcpOptions } from "./tcp/limits.ts";

/**
 * Returns a source of TCP connections, for `tcp://` addresses.
 *
 * A bound socket's `stats.connections` counts the connections that it closed, by
 * reason: `tooManyPeers`, `idle`, `slow` (a message that took too long),
 * `unread` (a peer that reads nothing) and `malformed` (a peer that sent something
 * else than a length, with the framing `octet`); as `reset` those that had ended
 * before they were accepted; and as `acceptFailed` how many attempts to accept
 * one failed (too many open files, …): there is one every 100 ms while that lasts,
 * and connections wait for the next. `stats.dropped` counts `incomplete` (messages of which only a part
 * arrived) and `unsent` (messages that waited for a peer when its connection
 * ended). A peer that has closed its sending side can still be sent replies (see
 * `replyMs`).
 *
 * `send` of a bound socket resolves when the message is in the peer's queue. It
 * rejects with `Deno.errors.NotConnected` if the peer is not connected, and with
 * `Deno.errors.Busy` if its queue holds 1 MiB: docs/carriers.md has the limits.
 *
 * On a connected socket `receive` rejects with `Deno.errors.ConnectionReset` when
 * the peer has closed the connection and all its messages were received. A `send`
 * may still resolve until the system has noticed that.
 *
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} The options are no object.
 *
 * @example
 * ```ts
 * import { bind, connect } from "@pli/datagram";
 * import { tcp } from "@pli/datagram/tcp";
 *
 * const carrier = tcp({ framing: "length" });
 * await using socket = bind("tcp://127.0.0.1:0", { carrier });
 * await using client = await connect(socket.addr, { carrier });
 * await client.send("two\nlines");
 * const { data, from } = await socket.receive();
 * await socket.send(data, from);
 * console.log((await client.receive()).text());
 * ```
 */
export function tcp(options: TcpOptions = {}): CarrierSource {
  const checked = checkOptions(options);
  return {
    schemes: ["tcp"],
    listen({ hostname, port }: NetAddr) {
      requireDeno("TCP");
      return new BoundCarrier(
        Deno.listen({ hostname, port }),
        checked,
        "tcp",
      );
    },
    async dial(remote: NetAddr, options?: DialOptions) {
      const conn = await connectWithin(checked.sendMs, remote, options);
      return new DialedCarrier(conn, checked, "tcp");
    },
  };
}

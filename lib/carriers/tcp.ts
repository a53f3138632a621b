/**
 * Messages over TCP: the same sockets, with `tcp://` addresses, which need no
 * carrier named unless it takes options.
 *
 * Nothing is lost or out of order while a connection lasts; who reads slowly
 * makes the senders wait. One bound socket has all connections: `from` tells
 * them apart, and it can send to those that are connected to it.
 *
 * @module
 */
import type { NetAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { BoundCarrier } from "./tcp/bound.ts";
import { connectWithin } from "./tcp/dial.ts";
import { DialledCarrier } from "./tcp/dialled.ts";
import { checkOptions, type TcpOptions } from "./tcp/limits.ts";

export type { FramingName } from "./tcp/framing.ts";
export type { TcpOptions } from "./tcp/limits.ts";

/**
 * Connections by TCP, for `tcp://` addresses.
 *
 * A bound socket's `stats.dropped` counts the connections that it closed, by
 * reason: `tooManyPeers`, `idle`, `slow` (a message that did not end in time),
 * `unread` (a peer that does not read what is sent to it); and under
 * `incomplete` the messages that a connection broke off. A peer that has ended
 * its own half still gets answers. `send` to one that is not connected rejects
 * with `Deno.errors.NotConnected`.
 *
 * Of a connected socket `receive` rejects with `Deno.errors.ConnectionReset`
 * when the peer has ended the connection and all its messages are read. A send
 * may go well until the system has learned of it.
 *
 * @throws {RangeError} An option is out of range.
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
      return new BoundCarrier(Deno.listen({ hostname, port }), checked);
    },
    async dial(remote: NetAddr) {
      const conn = await connectWithin(checked.sendMs, remote);
      return new DialledCarrier(conn, checked);
    },
  };
}

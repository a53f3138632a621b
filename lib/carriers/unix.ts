/**
 * Deno's own unix datagram sockets as a carrier: what `unix:` addresses use
 * unless a carrier is passed.
 *
 * @module
 */
import type { UnixAddr } from "../addr.ts";
import type { CarrierSource } from "../carrier.ts";
import { requireDeno } from "../runtime.ts";
import { UnixReceiver } from "./unix/receiver.ts";
import { UnixSender } from "./unix/sender.ts";

// One-way, because Deno refuses to send on a unix socket that is receiving: a
// `send` while a `receive` is pending throws `Busy`
// (https://github.com/denoland/deno/issues/6290, caused by
// https://github.com/tokio-rs/tokio/issues/2853). Remove when `send` works
// beside a pending `receive`: then both classes can be one.

/**
 * Returns a source that carries datagrams by unix sockets. They are one-way: a
 * bound socket only receives, a connected one only sends.
 */
export function unix(): CarrierSource {
  return {
    schemes: ["unix"],
    listen(address: UnixAddr) {
      requireDeno("unix:");
      return new UnixReceiver(address);
    },
    dial: (address: UnixAddr) =>
      Promise.try(() => {
        requireDeno("unix:");
        return new UnixSender(address);
      }),
  };
}

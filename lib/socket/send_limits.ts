import type { Addr } from "../addr.ts";
import type { Outgoing } from "../carrier.ts";
import type { Messages } from "./messages.ts";
import { type Limits, limitsOf, type WaitOptions } from "./waits.ts";

/** How {@linkcode DatagramSocket.send} sends, and how long it waits. */
export interface SendOptions extends WaitOptions {
  /**
   * The local address that the datagram leaves from, if the socket is bound to
   * all addresses (`0.0.0.0`, `[::]`): `to` of a datagram that it received. Its
   * port does not count. Over `offload` only; `answer` and `serve` set it by
   * themselves.
   * @default {the system's choice}
   */
  from?: Addr | undefined;
}

// A `unix:` receiver that does not read makes its senders wait; UDP never does.
const UNIX_MS = 1000;
const UNIX_LIMITS: Limits = { ms: UNIX_MS, signal: undefined };

/** Returns the limits of a send; usually there are none. */
export function sendLimits(
  messages: Messages,
  { to }: Outgoing,
  options: WaitOptions | undefined,
): Limits | undefined {
  const isUnix = to.transport === "unixpacket";
  if (options === undefined) return isUnix ? UNIX_LIMITS : undefined;
  return limitsOf(
    messages.attempt("send", to),
    options,
    isUnix ? UNIX_MS : undefined,
  );
}

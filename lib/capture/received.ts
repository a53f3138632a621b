import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { DatagramToWrite } from "./encoder.ts";

const NANOSECONDS_PER_MS = 1_000_000n;
const CUT = ["cut here: the datagram was longer"];

/** Returns a datagram that was received at a time by a socket, to be written. */
export function received(
  { from, data, truncated }: Datagram<Addr>,
  time: Date,
  to: Addr,
): DatagramToWrite {
  return {
    time: BigInt(time.getTime()) * NANOSECONDS_PER_MS,
    from,
    to,
    data,
    comments: truncated ? CUT : undefined,
  };
}

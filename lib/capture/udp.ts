import type { NetAddr } from "../addr.ts";
import { missing, type Outcome, type Part, u16 } from "./outcomes.ts";

/** The number of UDP among IP's protocols. */
export const UDP = 17;
/** The length of its header. */
export const UDP_HEADER = 8;

/** The IP addresses of a packet. */
export interface Hosts {
  readonly from: string;
  readonly to: string;
}

/** Decodes the UDP header at the beginning of an IP packet's payload. */
export function decodeUdp(
  payload: Part & Hosts & {
    readonly end: number;
    readonly isUnbounded: boolean;
  },
): Outcome {
  const { bytes, start, end, from, to, isUnbounded } = payload;
  if (start + UDP_HEADER > end) {
    return isUnbounded ? missing(payload) : "malformed";
  }
  if (start + UDP_HEADER > bytes.length) return missing(payload);
  const stated = u16(bytes, start + 4);
  // A datagram above 65,535 bytes has no length (RFC 2675), nor has IP then.
  const length = stated === 0 && isUnbounded ? end - start : stated;
  if (length < UDP_HEADER) return "malformed";
  if (start + length > end) return isUnbounded ? missing(payload) : "malformed";
  if (start + length > bytes.length) return missing(payload);
  return {
    from: address(from, u16(bytes, start)),
    to: address(to, u16(bytes, start + 2)),
    data: bytes.subarray(start + UDP_HEADER, start + length),
  };
}

function address(hostname: string, port: number): NetAddr {
  return { transport: "udp", hostname, port };
}

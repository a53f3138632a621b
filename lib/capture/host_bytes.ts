import { canonicalIpv6, ipBytes, IPV4 } from "../address/host.ts";

/** An IP address as it is written in packets. */
export interface HostBytes {
  /** 16 bytes; IPv4 as `::ffff:a.b.c.d`. */
  readonly bytes: Uint8Array;
  readonly isIpv4: boolean;
}

// To read an address takes longer than all else about a packet.
const MAX_KNOWN = 1024;
const known = new Map<string, HostBytes>();

/** Returns the bytes of a host; `undefined` if it is no IP address. */
export function hostBytes(hostname: string): HostBytes | undefined {
  const before = known.get(hostname);
  if (before !== undefined) return before;
  const host = readHost(hostname.split("%", 1)[0] ?? "");
  // A name may have any length.
  if (host === undefined) return undefined;
  if (known.size === MAX_KNOWN) known.clear();
  known.set(hostname, host);
  return host;
}

function readHost(host: string): HostBytes | undefined {
  const isIpv4 = IPV4.test(host);
  if (!isIpv4 && canonicalIpv6(host) === undefined) return undefined;
  return { bytes: ipBytes(host), isIpv4 };
}

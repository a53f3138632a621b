/** An IP address, or a name, and a port. Each `Deno.NetAddr` is one. */
export interface NetAddr {
  /** The protocol underneath; `scheme`, if there is one, is more exact. */
  transport: "tcp" | "udp";
  /** An IP address, without brackets, or a host name. */
  hostname: string;
  /** 0 to 65535; 0 is only valid for binding: any free port. */
  port: number;
}

/**
 * A network address that may name its scheme. The scheme differs from the
 * transport for TLS, which runs over TCP, and for QUIC, which runs over UDP.
 */
export interface SchemeAddr extends NetAddr {
  /** The scheme of `scheme://host:port`. @default {the transport} */
  scheme?: "tls" | "quic" | undefined;
}

/** A path in the file system. Each `Deno.UnixAddr` is one. */
export interface UnixAddr {
  /** `unixpacket` for datagram sockets, as in Deno. */
  transport: "unix" | "unixpacket";
  /** The path. A peer that is not bound to a path has `null` at run time. */
  path: string;
}

/** A virtual machine's address, which no carrier of this library has. */
export interface VsockAddr {
  /** Always `vsock`. */
  transport: "vsock";
  /** The context identifier. */
  cid: number;
  /** The port number. */
  port: number;
}

/** An address of any kind. Each `Deno.Addr` is one. */
export type Addr = SchemeAddr | UnixAddr | VsockAddr;

/** The first part of an address as text. It names the carrier. */
export type Scheme = "udp" | "tcp" | "tls" | "quic" | "unix";

/** The facts about a scheme. A new scheme is added in this table only. */
interface SchemeFacts {
  /** The fields that mark its addresses. Those of `unix:` have a path instead. */
  readonly parts?: Omit<SchemeAddr, "hostname" | "port">;
  /**
   * Whether its peers are connected: each has shown that it receives datagrams
   * at its address.
   */
  readonly connected: boolean;
}

/** Every scheme, in the order in which messages list them. */
export const SCHEMES: Readonly<Record<Scheme, SchemeFacts>> = {
  udp: { parts: { transport: "udp" }, connected: false },
  tcp: { parts: { transport: "tcp" }, connected: true },
  tls: { parts: { transport: "tcp", scheme: "tls" }, connected: true },
  quic: { parts: { transport: "udp", scheme: "quic" }, connected: true },
  unix: { connected: false },
};

/** Returns the scheme that an address names. */
export function schemeOf(address: SchemeAddr | UnixAddr): Scheme;
/** Returns the scheme that an address of any kind names. */
export function schemeOf(address: Addr): Scheme | "vsock";
export function schemeOf(address: Addr): Scheme | "vsock" {
  if ("path" in address) return "unix";
  return ("scheme" in address ? address.scheme : undefined) ??
    address.transport;
}

/** Returns how a scheme's addresses begin as text: `udp://`, `unix:`. */
export function prefixOf(scheme: string): string {
  return scheme === "unix" ? "unix:" : `${scheme}://`;
}

/** Whether peers at such addresses are connected, and so cannot be forged. */
export function isConnected(address: Addr): boolean {
  const scheme = schemeOf(address);
  return scheme !== "vsock" && SCHEMES[scheme].connected;
}

/** Returns a copy, so that changing one object has no effect on the other. */
export function copyAddr<A extends Addr>(address: A): A {
  if (!("hostname" in address) || address.scheme !== undefined) {
    return { ...address };
  }
  // Spreading takes twice as long, and most datagrams need a copy.
  const { transport, hostname, port } = address;
  return { transport, hostname, port } as A;
}

/**
 * Returns an address whose fields are quick to read. Those of the addresses that
 * Deno hands out take 250 ns each, as these objects have no prototype.
 */
export function quickAddr(address: SchemeAddr): SchemeAddr {
  if (Object.getPrototypeOf(address) !== null) return address;
  const copy = {
    transport: Reflect.get(address, "transport"),
    hostname: Reflect.get(address, "hostname"),
    port: Reflect.get(address, "port"),
  };
  return "scheme" in address ? { ...copy, scheme: address.scheme } : copy;
}

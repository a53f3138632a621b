/** An IP address, or a name, and a port. Each `Deno.NetAddr` is one. */
export interface NetAddr {
  /** What carries it, unless `scheme` names it more closely. */
  transport: "tcp" | "udp";
  /** An IP address, without brackets, or a host name. */
  hostname: string;
  /** 0 to 65535; 0 is only valid for binding: any free port. */
  port: number;
}

/**
 * A network address whose scheme is not its transport's own name: TLS runs over
 * TCP, QUIC over UDP.
 */
export interface SchemeAddr extends NetAddr {
  /** What `scheme://host:port` begins with. @default {the transport} */
  scheme?: "tls" | "quic" | undefined;
}

/** A path in the file system. Each `Deno.UnixAddr` is one. */
export interface UnixAddr {
  /** Datagram sockets are `unixpacket` in Deno. */
  transport: "unix" | "unixpacket";
  /** The path; a peer that is not bound to one has `null` at run time. */
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

/** What an address begins with, as text. */
export type Scheme = "udp" | "tcp" | "tls" | "quic" | "unix";

/** What there is to know of a scheme: the one place that a new one needs here. */
interface SchemeFacts {
  /** What distinguishes its addresses; a path does those of `unix:`. */
  readonly parts?: Omit<SchemeAddr, "hostname" | "port">;
  /**
   * Whether its peers are connected: each has shown that it receives what is
   * sent to its address.
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

/** The scheme that an address names. */
export function schemeOf(address: SchemeAddr | UnixAddr): Scheme;
/** The scheme that an address of any kind names. */
export function schemeOf(address: Addr): Scheme | "vsock";
export function schemeOf(address: Addr): Scheme | "vsock" {
  if ("path" in address) return "unix";
  return ("scheme" in address ? address.scheme : undefined) ??
    address.transport;
}

/** The beginning of a scheme's addresses, as text: `udp://`, `unix:`. */
export function prefixOf(scheme: string): string {
  return scheme === "unix" ? "unix:" : `${scheme}://`;
}

/** Whether peers at such addresses are connected, and so cannot be forged. */
export function isConnected(address: Addr): boolean {
  const scheme = schemeOf(address);
  return scheme !== "vsock" && SCHEMES[scheme].connected;
}

/** A copy that changes to the original do not reach. */
export function copyAddr<A extends Addr>(address: A): A {
  return { ...address };
}

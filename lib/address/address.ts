import { InvalidAddressError, quote } from "../errors.ts";
import { canonicalIpv6, IPV4 } from "./host.ts";

const EXAMPLE = '"udp://127.0.0.1:62000"';
const SCHEMES: Record<string, Omit<SchemeAddr, "hostname" | "port">> = {
  udp: { transport: "udp" },
  tcp: { transport: "tcp" },
  tls: { transport: "tcp", scheme: "tls" },
  quic: { transport: "udp", scheme: "quic" },
};
const KNOWN = "udp://, tcp://, tls://, quic:// and unix: are known";
const LOOPBACK = "127.0.0.1";
// sockaddr_un.sun_path holds 108 bytes with its final NUL (unix(7)).
const MAX_PATH_BYTES = 107;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * A network address whose scheme is not its transport's own name: TLS runs over
 * TCP, QUIC over UDP.
 */
export interface SchemeAddr extends Deno.NetAddr {
  /** What `scheme://host:port` begins with. @default {the transport} */
  scheme?: "tls" | "quic";
}

/**
 * Reads an address: `udp://127.0.0.1:62000`, `udp://[::1]:62000`,
 * `udp://localhost:0`, without the scheme `127.0.0.1:62000`, on loopback
 * `:62000`, `tcp://`, `tls://`, `quic://` likewise, or `unix:/path.sock`. Names
 * are not looked up. An IPv6 address comes out in its canonical form (RFC 5952),
 * a zone (`[fe80::1%eth0]`) stays. It is the inverse of
 * {@linkcode formatAddress}.
 *
 * @param text The address. Ports are 0 to 65535; 0 is good for binding only.
 * @returns `{ transport: "udp", hostname, port }`, for `tcp://` with the transport
 * `"tcp"`, for `tls://` and `quic://` with that `scheme` besides, or
 * `{ transport: "unixpacket", path }` for `unix:`.
 * @throws {InvalidAddressError} Whatever else is given.
 *
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from "@pli/datagram";
 * import { assertEquals } from "@std/assert";
 *
 * const address = parseAddress("127.0.0.1:62000");
 * assertEquals(address, { transport: "udp", hostname: "127.0.0.1", port: 62000 });
 * assertEquals(formatAddress(address), "udp://127.0.0.1:62000");
 * ```
 */
export function parseAddress(text: string): SchemeAddr | Deno.UnixAddr {
  if (typeof text !== "string") {
    throw new InvalidAddressError(String(text), `give text, as ${EXAMPLE}`);
  }
  if (text === "") {
    throw new InvalidAddressError(text, `it is empty; give ${EXAMPLE}`);
  }
  if (text.startsWith("unix:")) return parseUnix(text);
  const scheme = /^([^/]*):\/\//.exec(text)?.[1];
  if (scheme === undefined) {
    const authority = text.startsWith(":") ? LOOPBACK + text : text;
    return { ...SCHEMES.udp, ...parseAuthority(text, authority) };
  }
  const name = scheme.toLowerCase();
  if (!Object.hasOwn(SCHEMES, name)) {
    throw new InvalidAddressError(
      text,
      `the scheme ${quote(scheme)} is unknown; ${KNOWN}`,
    );
  }
  const authority = text.slice(scheme.length + "://".length);
  return { ...SCHEMES[name], ...parseAuthority(text, authority) };
}

/**
 * Writes an address as text: the inverse of {@linkcode parseAddress}. A peer
 * without a path (an unbound `unix:` socket) is `unix:`.
 */
export function formatAddress(address: SchemeAddr | Deno.Addr): string {
  if ("path" in address) return `unix:${address.path ?? ""}`;
  if (!("hostname" in address)) return `${address.transport}:`;
  const { transport, scheme, hostname, port }: SchemeAddr = address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${scheme ?? transport}://${host}:${port}`;
}

/** An address given as text or as an object, checked in either case. */
export function toAddress(
  address: string | Deno.Addr,
): SchemeAddr | Deno.UnixAddr {
  return parseAddress(
    isObject(address) ? formatAddress(address) : address,
  );
}

/**
 * Whether what has such an address has connections: a peer there has shown that
 * it gets what is sent to it.
 */
export function isConnected(address: SchemeAddr | Deno.Addr): boolean {
  const { transport, scheme }: { transport: string; scheme?: string } = address;
  return transport === "tcp" || scheme === "quic";
}

function isObject(address: string | Deno.Addr): address is Deno.Addr {
  return typeof address === "object" && address !== null;
}

/** The same for an address to send to. */
export function toDestination(
  address: string | Deno.Addr,
): SchemeAddr | Deno.UnixAddr {
  if (isObject(address) && "path" in address && address.path === null) {
    throw new Deno.errors.NotSupported(
      "Cannot send to unix: the peer is not bound to a path, so it cannot be answered",
    );
  }
  const destination = toAddress(address);
  if ("port" in destination && destination.port === 0) {
    throw new InvalidAddressError(
      typeof address === "string" ? address : formatAddress(address),
      "nothing can be sent to port 0; give the peer's port, 1 to 65535",
    );
  }
  return destination;
}

function parseUnix(text: string): Deno.UnixAddr {
  const path = text.slice("unix:".length);
  const size = new TextEncoder().encode(path).length;
  if (size === 0 || size > MAX_PATH_BYTES || path.includes("\0")) {
    throw new InvalidAddressError(
      text,
      `a path is 1 to ${MAX_PATH_BYTES} bytes without NUL, as in "unix:/run/pli.sock"`,
    );
  }
  return { transport: "unixpacket", path };
}

function parseAuthority(
  text: string,
  authority: string,
): { hostname: string; port: number } {
  const invalid = (wanted: string) => new InvalidAddressError(text, wanted);
  const misplaced = /[@/?#\s]/.exec(authority)?.[0];
  if (misplaced !== undefined) {
    throw invalid(
      `a host and a port, no ${quote(misplaced)}, as in ${EXAMPLE}`,
    );
  }
  const colon = authority.lastIndexOf(":");
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const digits = colon < 0 ? "" : authority.slice(colon + 1);
  if (host === "") throw invalid(`the host is missing, as in ${EXAMPLE}`);
  if (digits === "" || authority.endsWith("]")) {
    throw invalid(`the port is missing, as in ${EXAMPLE}`);
  }
  if (!/^\d{1,5}$/.test(digits) || Number(digits) > 65535) {
    throw invalid("the port must be a whole number from 0 to 65535");
  }
  return { hostname: parseHost(host, invalid), port: Number(digits) };
}

function parseHost(host: string, invalid: (wanted: string) => Error): string {
  const bracketed = /^\[([^\]%]*)(%[\w.~-]+)?\]$/.exec(host);
  if (bracketed !== null) {
    const [, address, zone = ""] = bracketed;
    const canonical = canonicalIpv6(address);
    if (canonical !== undefined) return canonical + zone;
    throw invalid(`${quote(address)} is not an IPv6 address`);
  }
  if (host.includes(":")) {
    throw invalid(
      'an IPv6 address goes in brackets, as in "udp://[::1]:62000"',
    );
  }
  const labels = host.replace(/\.$/, "").split(".");
  // As in URLs: a host whose last label is a number is an IPv4 address or wrong
  // (WHATWG URL, "ends in a number"), never a name that the system resolves.
  if (/^(?:\d+|0x[\da-f]*)$/i.test(labels[labels.length - 1])) {
    if (IPV4.test(host)) return host;
    throw invalid(`${quote(host)} is not an IPv4 address`);
  }
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    throw invalid(`${quote(host)} is neither an IP address nor a host name`);
  }
  return host;
}

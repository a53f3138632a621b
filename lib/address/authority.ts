import { quote } from "../errors.ts";
import { canonicalIpv6, IPV4 } from "./host.ts";

/** An address, as error messages show one. */
export const EXAMPLE = '"udp://127.0.0.1:62000"';
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Makes the error for a text, from what is wrong and what would be right. */
export type Invalid = (wanted: string) => Error;

/** Writes a host as part of an address: IPv6 in brackets (RFC 3986, section 3.2.2). */
export function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/**
 * Returns a host in its canonical form, or `undefined` if it is neither an IP
 * address nor a host name.
 */
export function canonicalHost(hostname: string): string | undefined {
  try {
    return parseAuthority(`${bracketed(hostname)}:1`, invalidHost).hostname;
  } catch {
    return undefined;
  }
}

function invalidHost(wanted: string): Error {
  return new Error(wanted);
}

/** Reads a host and a port. */
export function parseAuthority(
  authority: string,
  invalid: Invalid,
): { hostname: string; port: number } {
  const misplaced = /[@/?#\s]/.exec(authority)?.[0];
  if (misplaced !== undefined) {
    throw invalid(
      `give a host and a port without ${quote(misplaced)}, as in ${EXAMPLE}`,
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

function parseHost(host: string, invalid: Invalid): string {
  const bracketed = /^\[([^\]%]*)(%[\w.~-]+)?\]$/.exec(host);
  if (bracketed !== null) {
    const [, address = "", zone = ""] = bracketed;
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
  // As in URLs: a host whose last label is a number is an IPv4 address or
  // invalid (WHATWG URL, "ends in a number"), never a name to look up.
  if (/^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? "")) {
    if (IPV4.test(host)) return host;
    throw invalid(`${quote(host)} is not an IPv4 address`);
  }
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    throw invalid(`${quote(host)} is neither an IP address nor a host name`);
  }
  return host;
}

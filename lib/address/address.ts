import {
  type Addr,
  prefixOf,
  type Scheme,
  type SchemeAddr,
  schemeOf,
  SCHEMES,
  type UnixAddr,
} from "../addr.ts";
import { shown } from "../check.ts";
import {
  errors,
  InvalidAddressError,
  type OperationFields,
  quote,
  withFields,
} from "../errors.ts";
import { bracketed, EXAMPLE, parseAuthority } from "./authority.ts";
import { formatName, parseName } from "./unix_name.ts";

const KNOWN = Object.keys(SCHEMES).map(prefixOf).join(", ");
const LOOPBACK = "127.0.0.1";

/**
 * Reads an address: `udp://127.0.0.1:62000`, `udp://[::1]:62000` or
 * `udp://localhost:0`. Without a scheme, `127.0.0.1:62000` is UDP, and `:62000`
 * is UDP on loopback. `tcp://`, `tls://` and `quic://` take the same form;
 * `unix:` takes a path, as in `unix:/run/pli.sock`, or an abstract name of Linux,
 * as in `unix:@pli` (the path `"\0pli"`). Names are not looked up. An
 * IPv6 address is returned in its canonical form (RFC 5952), with its zone
 * (`[fe80::1%eth0]`). This is the inverse of {@linkcode formatAddress}.
 *
 * @param text The address. Ports are 0 to 65535; 0 is only valid for binding.
 * @returns `{ transport: "udp", hostname, port }`. For `tcp://` the transport is
 * `"tcp"`; for `tls://` and `quic://` there is also that `scheme`; for `unix:`
 * it is `{ transport: "unixpacket", path }`.
 * @throws {InvalidAddressError} `text` is not an address.
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
export function parseAddress(text: string): SchemeAddr | UnixAddr {
  return parse(text, { operation: "parse" });
}

/**
 * Writes an address as text. This is the inverse of {@linkcode parseAddress}. A
 * peer without a path (an unbound `unix:` socket) becomes `unix:`. In an abstract
 * name `%` and NUL are written as `%25` and `%00`.
 *
 * @param address An address of any transport.
 * @returns The address as text, such as `udp://[::1]:62000`.
 * @throws {InvalidAddressError} `address` has not the fields of an address.
 */
export function formatAddress(address: Addr): string {
  return textOf(address) ?? invalidObject(address, { operation: "format" });
}

/** Whether a value has the fields of an address, of the right types. */
export function isAddress(value: unknown): value is Addr {
  return textOf(value) !== undefined;
}

/** Writes an address, whose fields are read once each, if it is one. */
function textOf(address: unknown): string | undefined {
  if (typeof address !== "object" || address === null) return undefined;
  if ("path" in address) {
    const { path } = address;
    const isPath = typeof path === "string" || (path ?? null) === null;
    return isPath ? `unix:${formatName((path ?? "") as string)}` : undefined;
  }
  const { transport, scheme, hostname, port }: Partial<SchemeAddr> = address;
  const name: unknown = scheme ?? transport;
  if (typeof name !== "string") return undefined;
  if (!("hostname" in address)) return `${name}:`;
  return typeof hostname === "string" && typeof port === "number"
    ? `${name}://${bracketed(hostname)}:${port}`
    : undefined;
}

function invalidObject(given: unknown, fields: OperationFields): never {
  const wanted = given instanceof URL
    ? "give its text: url.href without a path"
    : "give { transport, hostname, port }, { transport, path }, or text";
  throw withFields(new InvalidAddressError(shown(given), wanted), fields);
}

/**
 * Checks and copies an address that is given as text or as an object.
 *
 * @throws {InvalidAddressError} It is not an address.
 */
export function toAddress(
  address: string | Addr,
  fields: OperationFields = { operation: "parse" },
): SchemeAddr | UnixAddr {
  if (typeof address !== "object" || address === null) {
    return parse(address, fields);
  }
  const text = textOf(address);
  return text === undefined || /^\w+:$/.test(text)
    ? invalidObject(address, fields)
    : parse(text, fields);
}

/**
 * Checks and copies an address like {@linkcode toAddress}, but also rejects
 * addresses that nothing can be sent to.
 *
 * @throws {InvalidAddressError} It is not an address, or its port is 0.
 * @throws {Deno.errors.NotSupported} It is a `unix:` peer without a path.
 */
export function toDestination(
  address: string | Addr,
  fields: OperationFields = { operation: "parse" },
): SchemeAddr | UnixAddr {
  if (isUnnamed(address)) {
    throw withFields(
      new errors.NotSupported(
        "Cannot send to unix: the peer is not bound to a path, so it cannot be answered",
      ),
      fields,
    );
  }
  const destination = toAddress(address, fields);
  if ("port" in destination && destination.port === 0) {
    const wanted =
      "nothing can be sent to port 0; give the peer's port, 1 to 65535";
    throw withFields(
      new InvalidAddressError(formatAddress(destination), wanted),
      fields,
    );
  }
  return destination;
}

/**
 * Checks that an address is used over a transport that it names.
 *
 * @param carried The schemes that are carried; `undefined` for any.
 * @param who The carrier, as the subject of the sentence.
 * @throws {InvalidAddressError} The scheme is a different one.
 */
export function requireScheme(
  address: Addr,
  carried: readonly Scheme[] | undefined,
  who: string,
  fields: OperationFields,
): void {
  const scheme = schemeOf(address);
  if (carried === undefined || carried.some((known) => known === scheme)) {
    return;
  }
  const prefixes = carried.map(prefixOf).join(" and ");
  throw withFields(
    new InvalidAddressError(
      formatAddress(address),
      `${who} carries only ${prefixes} addresses; ${remedy(address, carried)}`,
    ),
    fields,
  );
}

function remedy(address: Addr, carried: readonly Scheme[]): string {
  const parts = carried.map((scheme) => SCHEMES[scheme].parts).find((parts) =>
    parts !== undefined
  );
  const own = prefixOf(schemeOf(address));
  const other = `a carrier for ${own} addresses`;
  if (parts === undefined || !("hostname" in address)) return `use ${other}`;
  const { hostname, port } = address;
  const suggestion = formatAddress({ ...parts, hostname, port });
  return `give ${quote(suggestion)}, or use ${other}`;
}

function isUnnamed(address: string | Addr): boolean {
  return typeof address === "object" && address !== null &&
    "path" in address && (address.path as string | null) === null;
}

function parse(text: unknown, fields: OperationFields): SchemeAddr | UnixAddr {
  const invalid = (wanted: string) =>
    withFields(
      new InvalidAddressError(
        typeof text === "string" ? text : shown(text),
        wanted,
      ),
      fields,
    );
  if (typeof text !== "string") throw invalid(`give text, as ${EXAMPLE}`);
  if (text === "") throw invalid(`it is empty; give ${EXAMPLE}`);
  if (text.startsWith("unix:")) {
    const path = parseName(text.slice("unix:".length), invalid);
    return { transport: "unixpacket", path };
  }
  const prefix = /^([^/]*):\/\//.exec(text);
  if (prefix === null) {
    const authority = text.startsWith(":") ? LOOPBACK + text : text;
    return { transport: "udp", ...parseAuthority(authority, invalid) };
  }
  const name = (prefix[1] ?? "").toLowerCase();
  const parts = Object.hasOwn(SCHEMES, name)
    ? SCHEMES[name as Scheme].parts
    : undefined;
  if (parts === undefined) {
    throw invalid(
      name === "unix"
        ? 'the path follows "unix:" directly, as in "unix:/run/pli.sock"'
        : `the scheme ${quote(name)} is unknown; give one of ${KNOWN}`,
    );
  }
  const authority = text.slice(prefix[0].length);
  return { ...parts, ...parseAuthority(authority, invalid) };
}

/** An IPv4 address in dotted decimal, the only form that is accepted. */
export const IPV4: RegExp =
  /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** Whether a host is an IP address, with or without a zone, and not a name. */
export function isIp(hostname: string): boolean {
  return hostname.includes(":") || IPV4.test(hostname);
}

/**
 * Returns a host in the form in which hosts are compared: without a zone, which
 * Deno omits from the sender of a datagram, and with an IPv4 address in its own
 * form, although an IPv6 socket shows it as `::ffff:a.b.c.d`.
 */
export function comparableHost(hostname: string): string {
  return plainIpv4(hostname.split("%", 1)[0] ?? "");
}

/** Returns an IPv4 address in its own form if it is given as `::ffff:a.b.c.d`. */
export function plainIpv4(host: string): string {
  return host.startsWith("::ffff:") && host.includes(".")
    ? host.slice("::ffff:".length)
    : host;
}

/** Returns an IPv6 address in the form of RFC 5952, or `undefined` if it is not one. */
export function canonicalIpv6(address: string): string | undefined {
  // A URL may also hold credentials: "a@[::1" between brackets.
  if (!/^[\da-f:.]*$/i.test(address)) return undefined;
  const url = URL.parse(`http://[${address}]/`);
  if (url === null) return undefined;
  const host = url.hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(host);
  if (mapped === null) return host;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => parseInt(part, 16));
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Whether an address is in 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291, section 2.7). */
export function isMulticast(host: string): boolean {
  return host.includes(":")
    ? canonicalIpv6(host)?.startsWith("ff") === true
    : IPV4.test(host) && /^2(?:2[4-9]|3\d)\./.test(host);
}

/** Whether an address is in 127.0.0.0/8 (RFC 1122, section 3.2.1.3) or ::1 (RFC 4291, section 2.5.3). */
export function isLoopback(host: string): boolean {
  const plain = comparableHost(host);
  return plain === "::1" || IPV4.test(plain) && plain.startsWith("127.");
}

/** Whether only this machine can reach a socket that is bound to this host. */
export function isOnLoopback(hostname: string): boolean {
  return hostname === "localhost" || isLoopback(hostname);
}

/**
 * Returns the 16 bytes of an IP address. An IPv4 address becomes
 * `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2), so that each network is a range.
 */
export function ipBytes(address: string): Uint8Array<ArrayBuffer> {
  const host = comparableHost(address);
  const bytes = new Uint8Array(16);
  if (!host.includes(":")) {
    bytes.set([0xff, 0xff, ...host.split(".").map(Number)], 10);
    return bytes;
  }
  const [head = [], tail] = host.split("::").map(groups);
  bytes.set(head);
  if (tail !== undefined) bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Returns 4 or 16 bytes as an IP address, IPv6 in the form of RFC 5952. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += 2) {
    groups.push((bytes[i]! << 8 | bytes[i + 1]!).toString(16));
  }
  const text = groups.join(":");
  return canonicalIpv6(text) ?? text;
}

/** Returns the bytes of a part of an IPv6 address; it may end in dotted decimal. */
function groups(part: string): number[] {
  return part === "" ? [] : part.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

import { errors } from "../errors.ts";
import { isIp } from "../address/host.ts";
import { performance } from "../platform.ts";

const LIFETIME_MS = 30_000;
const MAX_HOSTS = 256;

/**
 * Returns the loopback address of that family for `localhost`, and any other
 * host unchanged: `localhost` is both `127.0.0.1` and `::1` (RFC 6761, section
 * 6.3).
 */
export function localhostIn(
  hostname: string,
  family: 4 | 6 | undefined,
): string {
  if (family === undefined || hostname.toLowerCase() !== "localhost") {
    return hostname;
  }
  return family === 4 ? "127.0.0.1" : "::1";
}

/**
 * Resolves a host to an IP address.
 *
 * @param family The family of the address. @default {whichever the system prefers}
 * @throws {Deno.errors.NotFound} The name is unknown, or unknown in that family.
 * @throws {Deno.errors.NotCapable} The permission to look it up is missing.
 * @throws {Deno.errors.AddrNotAvailable} The host is an address of the other
 * family.
 */
export async function resolveHost(
  hostname: string,
  family?: 4 | 6,
): Promise<string> {
  const host = localhostIn(hostname, family);
  if (isIp(host)) {
    checkFamily(host, family);
    return host;
  }
  // Loading it takes long, and only names need it.
  const { lookup } = await import("node:dns/promises");
  try {
    return (await lookup(host, { family: family ?? 0 })).address;
  } catch (cause) {
    if ((cause as { code?: string }).code === "EPERM") {
      throw new errors.NotCapable(
        `Requires net access to "${host}", run again with the --allow-net flag`,
        { cause },
      );
    }
    const detail = family === undefined ? "" : ` in IPv${family}`;
    throw new errors.NotFound(`unknown host${detail}`, { cause });
  }
}

/**
 * Checks the family of an IP address.
 *
 * @throws {Deno.errors.AddrNotAvailable} It is of the other family.
 */
export function checkFamily(host: string, family: 4 | 6 | undefined): void {
  const actual = host.includes(":") ? 6 : 4;
  if (family === undefined || actual === family) return;
  throw new errors.AddrNotAvailable(
    `${host} is an address of IPv${actual}, not of IPv${family}`,
  );
}

/**
 * Resolves hosts, and keeps each result for 30 seconds. It keeps at most 256 and
 * discards the oldest first.
 */
export class Resolver {
  readonly #known = new Map<string, { host: string; until: number }>();

  /** Returns the host's address in that family; throws as `resolveHost` does. */
  async resolve(hostname: string, family: 4 | 6): Promise<string> {
    const now = performance.now();
    const known = this.#known.get(hostname);
    if (known !== undefined && known.until > now) return known.host;
    const host = await resolveHost(hostname, family);
    this.#known.delete(hostname);
    this.#known.set(hostname, { host, until: now + LIFETIME_MS });
    if (this.#known.size > MAX_HOSTS) {
      const oldest = this.#known.keys().next().value;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return host;
  }
}

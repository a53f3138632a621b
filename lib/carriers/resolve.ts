import { errors } from "../errors.ts";
import { isIp } from "../address/host.ts";

const LIFETIME_MS = 30_000;
const MAX_NAMES = 256;

/** `localhost` is both `127.0.0.1` and `::1` (RFC 6761, section 6.3). */
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
 * The IP address of a host in the family, or in whichever the system prefers.
 *
 * @throws {Deno.errors.NotFound} The name is unknown (in that family).
 * @throws {Deno.errors.NotCapable} No permission to look it up.
 * @throws {Deno.errors.AddrNotAvailable} It is an address of the other family.
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
  // Only names need it, and it takes long to load.
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

/** Refuses an address of the other family. */
export function checkFamily(host: string, family: 4 | 6 | undefined): void {
  const actual = host.includes(":") ? 6 : 4;
  if (family === undefined || actual === family) return;
  throw new errors.AddrNotAvailable(
    `${host} is an address of IPv${actual}, not of IPv${family}`,
  );
}

/** Resolved names, for half a minute; of too many the oldest is forgotten. */
export class NameCache {
  readonly #known = new Map<string, { host: string; until: number }>();

  async resolve(hostname: string, family: 4 | 6): Promise<string> {
    const now = performance.now();
    const known = this.#known.get(hostname);
    if (known !== undefined && known.until > now) return known.host;
    const host = await resolveHost(hostname, family);
    this.#known.delete(hostname);
    this.#known.set(hostname, { host, until: now + LIFETIME_MS });
    if (this.#known.size > MAX_NAMES) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest);
    }
    return host;
  }
}

import type { Addr } from "../addr.ts";
import { comparableHost, ipBytes } from "../address/host.ts";
import { Networks, readNetworks } from "../address/networks.ts";
import type { Clock } from "../clock.ts";
import type { Attempt } from "../errors.ts";
import { BoundedMap } from "./bounded_map.ts";
import { Bucket, limitOf, type Rate, readRate } from "./rate.ts";

/**
 * Which sources a bound socket accepts, and at what rate. Rejected datagrams are
 * counted in `stats.dropped` as `denied` or `rateLimited`. Over UDP a source can
 * be forged: these options keep out strangers and floods, but not attackers who
 * know an allowed address.
 */
export interface GuardOptions {
  /**
   * The networks to accept, such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.7`. All
   * other sources are rejected.
   * @default {all}
   */
  allow?: readonly string[] | undefined;
  /** Networks to reject, even if `allow` has them. @default {none} */
  deny?: readonly string[] | undefined;
  /**
   * How many datagrams to accept from each source. A source is an IPv4 address,
   * or the first 64 bits of an IPv6 address, since one host has all of those.
   * @default {Infinity}
   */
  rateLimit?: Rate | undefined;
}

/** The options of a guard as they were when they were read. */
interface ReadGuardOptions {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  readonly rateLimit: Rate | undefined;
}

/**
 * Reads the options, once, and checks them.
 *
 * @throws {InvalidAddressError} An entry is not an IP network.
 * @throws {RangeError} The rate is out of range.
 * @throws {TypeError} An option is of the wrong type.
 */
export function readGuard(
  attempt: Attempt,
  { allow, deny, rateLimit }: GuardOptions,
): ReadGuardOptions {
  return {
    allow: readNetworks(attempt, "allow", allow),
    deny: readNetworks(attempt, "deny", deny),
    rateLimit: readRate(attempt, "rateLimit", rateLimit),
  };
}

/** Decides which datagrams a socket accepts. Its memory is bounded. */
export class Guard {
  readonly #allowed: Networks | undefined;
  readonly #denied: Networks | undefined;
  // A look-up in a list of networks takes a microsecond, here a tenth.
  readonly #verdicts = new BoundedMap((host) => this.#isAllowed(host));
  readonly #buckets: BoundedMap<Bucket> | undefined;
  readonly #clock: Clock;

  /** @param options From {@linkcode readGuard}. */
  constructor({ allow, deny, rateLimit }: ReadGuardOptions, clock: Clock) {
    this.#allowed = allow && new Networks(allow);
    this.#denied = deny && new Networks(deny);
    this.#clock = clock;
    const limit = limitOf(rateLimit);
    this.#buckets = limit &&
      new BoundedMap(() => new Bucket(limit, clock.now()));
  }

  /** Returns why a datagram from there is rejected; `undefined` if it is not. */
  refuses(from: Addr): "denied" | "rateLimited" | undefined {
    if (!("hostname" in from)) return undefined;
    const { hostname } = from;
    if (!this.#verdicts.get(hostname)) return "denied";
    if (this.#buckets === undefined) return undefined;
    const taken = this.#buckets.get(sourceOf(hostname)).take(this.#clock.now());
    return taken ? undefined : "rateLimited";
  }

  #isAllowed(hostname: string): boolean {
    const host = comparableHost(hostname);
    return this.#denied?.has(host) !== true &&
      this.#allowed?.has(host) !== false;
  }
}

/** Returns the source of a peer, which all addresses of one host share. */
export function sourceOf(hostname: string): string {
  const host = comparableHost(hostname);
  return host.includes(":") ? ipBytes(host).subarray(0, 8).join() : host;
}

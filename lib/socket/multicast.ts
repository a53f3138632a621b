import { IPV4, isIp, isMulticast } from "../address/host.ts";
import type { Carrier, CarrierMembership } from "../carrier.ts";
import { outOfRange, requireOptions, wrongType } from "../check.ts";
import {
  type Attempt,
  cannot,
  errors,
  failure,
  fieldsOf,
  withFields,
} from "../errors.ts";

/** How {@linkcode DatagramSocket.joinMulticast} joins. */
export interface MulticastOptions {
  /**
   * The interface to join on: for IPv4 one of its addresses, for IPv6 its index.
   * @default {the system's choice}
   */
  interface?: string | number | undefined;
  /**
   * The address of the only host whose datagrams to the group are received
   * (RFC 4607). Over `offload()` for both families, over `dgram()` on Deno for
   * IPv4 only.
   * @default {any host}
   */
  source?: string | undefined;
  /**
   * How many hops the datagrams of this socket to groups may travel, 0 to 255.
   * IPv4 only.
   * @default {1: this network}
   */
  ttl?: number | undefined;
  /**
   * Whether the datagrams of this socket to groups also reach members on this
   * machine.
   * @default {true}
   */
  loopback?: boolean | undefined;
}

/** A membership in a multicast group. */
export interface MulticastMembership extends AsyncDisposable {
  /** The address of the group. */
  readonly group: string;
  /** Leaves the group. A second call, or a call after `close`, does nothing. */
  leave(): Promise<void>;
}

/**
 * Joins a group.
 *
 * @param attempt To join that group on that socket.
 */
export async function joinMulticast(
  carrier: Carrier,
  group: string,
  options: MulticastOptions,
  attempt: Attempt,
): Promise<MulticastMembership> {
  requireOptions(attempt, options);
  const { interface: on, source, ttl, loopback } = options;
  check(attempt, group, { interface: on, source, ttl, loopback });
  if (!carrier.joinMulticastV4 || !carrier.joinMulticastV6) {
    const text = cannot(attempt, "its carrier has no multicast");
    throw withFields(new errors.NotSupported(text), fieldsOf(attempt));
  }
  if (source !== undefined && !carrier.joinSource) {
    const text = cannot(
      attempt,
      "its carrier has no memberships for one source; pass { carrier: dgram() } or { carrier: offload() }",
    );
    throw withFields(new errors.NotSupported(text), fieldsOf(attempt));
  }
  let joined: CarrierMembership | undefined;
  try {
    joined = source !== undefined
      ? await carrier.joinSource!(
        source,
        group,
        on ?? (isIpv6(group) ? 0 : "0.0.0.0"),
      )
      : isIpv6(group)
      ? await carrier.joinMulticastV6(group, Number(on ?? 0))
      : await carrier.joinMulticastV4(group, String(on ?? "0.0.0.0"));
    // Checked above: only for IPv4.
    if (ttl !== undefined) await joined.setTTL?.(ttl);
    if (loopback !== undefined) await joined.setLoopback(loopback);
    return new Membership(group, joined, attempt);
  } catch (error) {
    // The error that is thrown is the one that matters.
    await joined?.leave().catch(() => {});
    throw failure(attempt.action, error, attempt);
  }
}

function check(
  attempt: Attempt,
  group: string,
  { interface: on, source, ttl, loopback }: MulticastOptions,
): void {
  const wrong = (name: string, wanted: string, value: unknown) =>
    outOfRange(attempt, name, wanted, value);
  if (typeof group !== "string" || !isMulticast(group)) {
    throw wrong("group", "an address in 224.0.0.0/4 or ff00::/8", group);
  }
  if (
    source !== undefined &&
    !(typeof source === "string" && isIp(source) && !isMulticast(source) &&
      isIpv6(source) === isIpv6(group))
  ) throw wrong("source", "an address of a host in the group's family", source);
  if (isIpv6(group)) {
    const isIndex = typeof on === "number" && Number.isInteger(on) &&
      on >= 0 && on < 2 ** 32;
    if (on !== undefined && !isIndex) {
      throw wrong("the interface of an IPv6 group", "an index", on);
    }
    if (ttl !== undefined) {
      throw wrong("the ttl of an IPv6 group", "left out", ttl);
    }
  } else {
    if (on !== undefined && !(typeof on === "string" && IPV4.test(on))) {
      throw wrong("the interface of an IPv4 group", "one of its addresses", on);
    }
    if (
      ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= 255)
    ) throw wrong("ttl", "a whole number from 0 to 255", ttl);
  }
  if (loopback !== undefined && typeof loopback !== "boolean") {
    throw wrongType(attempt, "loopback", "true or false", loopback);
  }
}

function isIpv6(group: string): boolean {
  return group.includes(":");
}

class Membership implements MulticastMembership {
  readonly group: string;
  readonly #attempt: Attempt;
  #joined: CarrierMembership | undefined;

  constructor(group: string, joined: CarrierMembership, { local }: Attempt) {
    this.group = group;
    this.#joined = joined;
    this.#attempt = { action: `leave ${group}`, local };
  }

  async leave(): Promise<void> {
    const joined = this.#joined;
    this.#joined = undefined;
    try {
      await joined?.leave();
    } catch (error) {
      // A closed socket has left all its groups.
      if (error instanceof errors.BadResource) return;
      throw failure(this.#attempt.action, error, this.#attempt);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }
}

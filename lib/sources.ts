import {
  prefixOf,
  type SchemeAddr,
  schemeOf,
  SCHEMES,
  type UnixAddr,
} from "./addr.ts";
import { requireScheme } from "./address/address.ts";
import type { CarrierSource } from "./carrier.ts";
import { dgram } from "./carriers/dgram.ts";
import { tcp } from "./carriers/tcp.ts";
import { udp } from "./carriers/udp.ts";
import { unix } from "./carriers/unix.ts";
import { outOfRange, wrongType } from "./check.ts";
import { type Attempt, cannot, fieldsOf, withFields } from "./errors.ts";
import { globals } from "./runtime.ts";

/** The options that decide what opens a socket; see `BindOptions`. */
export interface SourceOptions {
  readonly carrier?: CarrierSource | undefined;
  readonly family?: 4 | 6 | undefined;
  readonly reuseAddress?: boolean | undefined;
}

/**
 * Returns the source that opens the socket.
 *
 * @throws {TypeError} An option has no use for it, and would be ignored.
 */
export function sourceFor(
  address: SchemeAddr | UnixAddr,
  options: SourceOptions,
  attempt: Attempt,
): CarrierSource {
  const { carrier, family, reuseAddress } = options;
  requireSource(attempt, carrier);
  if (carrier !== undefined) {
    const fields = fieldsOf(attempt);
    requireScheme(address, carrier.schemes, "this carrier", fields);
  }
  const scheme = schemeOf(address);
  if (carrier === undefined && scheme === "udp") {
    const udpOptions = { family, reuseAddress };
    requireUdpOptions(attempt, udpOptions);
    return globals.Deno === undefined ? dgram(udpOptions) : udp(udpOptions);
  }
  for (const [name, value] of Object.entries({ family, reuseAddress })) {
    if (value === undefined) continue;
    throw unusable(attempt, `${name} is an option of Deno's own UDP only`);
  }
  if (carrier !== undefined) return carrier;
  if (scheme === "unix") return unix();
  if (scheme === "tcp") return tcp();
  throw unusable(
    attempt,
    `no default carrier for ${
      prefixOf(scheme)
    } addresses; pass one: { carrier: ${scheme}({ … }) }`,
  );
}

function requireSource(attempt: Attempt, carrier: unknown): void {
  if (carrier === undefined) return;
  const { listen, dial, schemes } = (carrier ?? {}) as Partial<CarrierSource>;
  if (typeof listen !== "function") {
    const wanted = "an object with a listen method";
    throw wrongType(attempt, "carrier", wanted, carrier);
  }
  if (dial !== undefined && typeof dial !== "function") {
    throw wrongType(attempt, "the carrier's dial", "a function", dial);
  }
  if (schemes !== undefined && !isSchemes(schemes)) {
    const wanted = `an array of schemes (${Object.keys(SCHEMES).join(", ")})`;
    throw wrongType(attempt, "the carrier's schemes", wanted, schemes);
  }
}

function isSchemes(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((scheme) =>
      typeof scheme === "string" && Object.hasOwn(SCHEMES, scheme)
    );
}

function requireUdpOptions(
  attempt: Attempt,
  { family, reuseAddress }: SourceOptions,
): void {
  if (family !== undefined && family !== 4 && family !== 6) {
    throw outOfRange(attempt, "family", "4 or 6", family);
  }
  if (reuseAddress !== undefined && typeof reuseAddress !== "boolean") {
    throw wrongType(attempt, "reuseAddress", "true or false", reuseAddress);
  }
}

function unusable(attempt: Attempt, why: string): TypeError {
  const error = new TypeError(cannot(attempt, why));
  return withFields(error, fieldsOf(attempt));
}

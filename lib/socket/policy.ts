import { type Addr, schemeOf } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { systemClock } from "../clock.ts";
import { Guard } from "../limits/guard.ts";
import type { DatagramSocketOptions, Read } from "./options.ts";
import { isFromEarlierSend } from "./unreachable.ts";

/** What a socket decides about what arrives. */
export interface Policy<A extends Addr> {
  /** The longest data that is delivered. */
  readonly maxSize: number;
  /** Returns why a datagram from there is dropped, if it is. @default {never} */
  refuses?(from: A): string | undefined;
  /**
   * Whether `refuses` counts datagrams: then it is asked for each, and otherwise
   * once for all of a run.
   * @default {false}
   */
  readonly counts?: boolean;
  /** Whether an error is only counted, as `unreachable`. @default {never} */
  tolerates?(cause: unknown): boolean;
}

/** What a bound socket drops, and which errors it only counts. */
export function policyOf<A extends Addr>(
  carrier: Carrier,
  options: Read<DatagramSocketOptions>,
  local: Addr,
): Omit<Policy<A>, "maxSize"> {
  const { allow, deny, rateLimit } = options;
  const guard = allow === undefined && deny === undefined &&
      rateLimit === undefined
    ? undefined
    : new Guard(options, carrier.clock ?? systemClock);
  return {
    ...(guard && {
      refuses: (from: A) => guard.refuses(from),
      counts: rateLimit !== undefined,
    }),
    ...(schemeOf(local) === "udp" && { tolerates: isFromEarlierSend }),
  };
}

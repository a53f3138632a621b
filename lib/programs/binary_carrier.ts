import { type SchemeAddr, schemeOf, type UnixAddr } from "../addr.ts";
import { quote } from "../errors.ts";
import {
  type CarrierOptions,
  type CarrierSettings,
  carrierSettings,
} from "./carriers.ts";
import { UsageError } from "./options.ts";

// Messages over these schemes are framed, and must be able to have any bytes.
const FRAMED = ["tcp", "tls"];
const BINARY = ["length", "octet"];

/**
 * As `carrierSettings`, for programs whose messages are binary: over `tcp:` and
 * `tls:` they are framed by their length.
 *
 * @throws {UsageError} Also if the framing cannot carry any bytes.
 */
export function binaryCarrierSettings(
  address: SchemeAddr | UnixAddr,
  given: CarrierOptions,
  options?: { serves?: boolean },
): CarrierSettings {
  if (!FRAMED.includes(schemeOf(address))) {
    return carrierSettings(address, given, options);
  }
  const { framing = "length" } = given;
  if (!BINARY.includes(framing)) {
    throw new UsageError(
      `--framing ${quote(framing)}: must be one of ${
        BINARY.join(", ")
      }, which carry binary messages`,
    );
  }
  return carrierSettings(address, { ...given, framing }, options);
}

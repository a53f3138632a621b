import { wholeNumber, wrongType } from "../check.ts";
import type { CarrierControl } from "../control.ts";

/** How datagrams leave a socket: of {@linkcode dgram} and of `offload`. */
export interface LeavingOptions {
  /**
   * How many hops datagrams to single hosts may travel, 1 to 255.
   * @default {the system's}
   */
  ttl?: number | undefined;
  /**
   * The interface that datagrams to groups leave by: for IPv4 one of its
   * addresses, for IPv6 its name after `::%`, as in `::%eth0`.
   * @default {the system's choice}
   */
  multicastInterface?: string | undefined;
  /**
   * How many hops datagrams to groups may travel, 0 to 255; 0 is this machine.
   * @default {1: this network}
   */
  multicastTtl?: number | undefined;
  /**
   * Whether datagrams to groups also reach members on this machine.
   * @default {true}
   */
  multicastLoopback?: boolean | undefined;
}

/**
 * Checks the options, and returns a copy.
 *
 * @throws {RangeError} A number is out of range.
 * @throws {TypeError} An option is of the wrong type.
 */
export function readLeaving(
  action: string,
  options: LeavingOptions,
): LeavingOptions {
  const { ttl, multicastInterface, multicastTtl, multicastLoopback } = options;
  if (ttl !== undefined) wholeNumber(action, "ttl", ttl, 1, 255);
  if (multicastTtl !== undefined) {
    wholeNumber(action, "multicastTtl", multicastTtl, 0, 255);
  }
  const wrong = (name: string, wanted: string, value: unknown) =>
    wrongType(action, name, wanted, value);
  if (
    multicastInterface !== undefined && typeof multicastInterface !== "string"
  ) throw wrong("multicastInterface", "an address", multicastInterface);
  if (
    multicastLoopback !== undefined && typeof multicastLoopback !== "boolean"
  ) throw wrong("multicastLoopback", "true or false", multicastLoopback);
  return { ttl, multicastInterface, multicastTtl, multicastLoopback };
}

/** Sets them on a socket that is open. @throws What the system reports. */
export function setLeaving(
  control: CarrierControl,
  { ttl, multicastInterface, multicastTtl, multicastLoopback }: LeavingOptions,
): void {
  if (ttl !== undefined) control.setTtl?.(ttl);
  if (multicastInterface !== undefined) {
    control.setMulticastInterface?.(multicastInterface);
  }
  if (multicastTtl !== undefined) control.setMulticastTtl?.(multicastTtl);
  if (multicastLoopback !== undefined) {
    control.setMulticastLoopback?.(multicastLoopback);
  }
}

import type { Addr, NetAddr } from "../addr.ts";
import {
  formatAddress,
  requireScheme,
  toAddress,
  toDestination,
} from "../address/address.ts";
import {
  outOfRange,
  requireFunction,
  requireOptions,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { InvalidAddressError, type OperationFields } from "../errors.ts";
import { bind } from "../open.ts";
import { reporter } from "../warnings.ts";
import { checkFaults, checkSeed } from "./faults.ts";
import { FaultyRelay } from "./faulty_relay.ts";
import type { Relay, RelayOptions } from "./relay_types.ts";

export type { RelayFate } from "./relay_fate.ts";
export type { Relay, RelayOptions, RelayStats } from "./relay_types.ts";

const ACTION = "relay";

/**
 * Starts a relay on real sockets between clients and a server, for programs in
 * any language: it loses, duplicates, reorders, corrupts and delays datagrams by
 * the same decisions as the simulated network. Each client gets an upstream port
 * of its own, as behind a NAT, so that replies find their way back. If the server
 * replies from another port, as TFTP does, the relay opens another port as well:
 * the reply comes from there, and what the client sends there reaches that port
 * of the server.
 *
 * @throws What `bind` throws.
 * @throws {InvalidAddressError} `listen` or `to` is invalid, or not UDP.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type, or there is no such fault.
 *
 * @example
 * ```ts
 * import { connect, serve } from "@pli/datagram";
 * import { startRelay } from "@pli/datagram/testing";
 *
 * await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
 * await using relay = startRelay({ listen: "udp://127.0.0.1:0", to: server.addr, loss: 0.5 });
 * await using client = await connect(relay.addr);
 * const reply = await client.request("ping", { timeoutMs: 20, retries: 99 });
 * console.log(reply.text(), relay.stats.up.lost + relay.stats.down.lost);
 * ```
 */
export function startRelay(options: RelayOptions): Relay {
  if (options === undefined) {
    throw wrongType(ACTION, "options", "an object", options);
  }
  requireOptions(ACTION, options);
  const {
    listen,
    to,
    carrier,
    seed = 1,
    idleMs = 60_000,
    maxSessions = 1024,
    onError,
    onFate,
    ...faults
  } = options;
  checkSeed(seed);
  if (typeof idleMs !== "number" || !(idleMs > 0)) {
    throw outOfRange(ACTION, "idleMs", "a number above 0", idleMs);
  }
  wholeNumber(ACTION, "maxSessions", maxSessions, 1);
  for (const [name, value] of Object.entries({ onError, onFate })) {
    if (value !== undefined) requireFunction(ACTION, name, value);
  }
  const checked = checkFaults(faults);
  const local = udpOnly(listen, toAddress);
  const server = udpOnly(to, toDestination);
  if (formatAddress(local) === formatAddress(server)) {
    throw new InvalidAddressError(
      formatAddress(server),
      "a relay to itself would never end; give the server's address",
    );
  }
  return new FaultyRelay(bind(local, { carrier }), {
    to: server,
    carrier,
    seed,
    idleMs,
    maxSessions,
    faults: { up: checked, down: checked },
    report: reporter(onError),
    onFate,
  });
}

/** Checks an address with a function, and that it is a UDP address. */
function udpOnly(
  address: string | NetAddr,
  check: (address: string | NetAddr, fields: OperationFields) => Addr,
): NetAddr {
  const fields = { operation: ACTION };
  const checked = check(address, fields);
  requireScheme(checked, ["udp"], "a relay", fields);
  return checked as NetAddr;
}

import { type SchemeAddr, schemeOf, type UnixAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { isIp, isLoopback } from "../address/host.ts";
import type { CarrierSource } from "../carrier.ts";
import type { FramingName } from "../carriers/tcp.ts";
import { FRAMINGS } from "../carriers/tcp/framing.ts";
import { quote } from "../errors.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { forwardAddress } from "../address/forward_address.ts";
import type { ForwardSink } from "../sinks/forward.ts";
import { trusted } from "./identity.ts";
import { type Needs, toBind, toConnect, together, toUseUnix } from "./needs.ts";
import {
  type Given,
  oneOf,
  path,
  rate,
  requires,
  UsageError,
} from "./options.ts";
import type { Purpose } from "./permissions.ts";
import { say } from "./program.ts";

// How long a peer may read nothing before its connection is closed.
const SEND_MS = 60_000;
const LARGEST = 64 * 1024 * 1024;
const FRAMING_NAMES = Object.keys(FRAMINGS) as FramingName[];

/** For `forward`. */
export interface ForwardSettings {
  readonly destinations: readonly (SchemeAddr | UnixAddr)[];
  readonly limit: number | undefined;
  readonly framing: FramingName;
  readonly sender: boolean;
  /** The file of the certificates that are trusted besides the system's. */
  readonly ca: string | undefined;
}

/**
 * Reads `--forward` and the options that belong to it.
 *
 * @throws {UsageError} One of them is wrong.
 * @throws {InvalidAddressError} A destination is not an address.
 */
export function forwardSettings(
  addresses: readonly string[],
  given: Given,
): ForwardSettings | undefined {
  const destinations = addresses.map(forwardAddress);
  const seen = new Set<string>();
  for (const text of destinations.map(formatAddress)) {
    if (seen.has(text)) {
      throw new UsageError(`--forward ${text} is given twice`);
    }
    seen.add(text);
  }
  const value = (name: string) => {
    requires({ ...given, forward: addresses[0] }, name, "forward");
    return given[name] as string | undefined;
  };
  const needing = (name: string, schemes: readonly string[]) => {
    const text = value(name);
    const fits = destinations.some((to) => schemes.includes(schemeOf(to)));
    if (text === undefined || fits) return text;
    const prefixes = schemes.map((scheme) => `${scheme}://`).join(" and ");
    throw new UsageError(`--${name} is for ${prefixes} destinations`);
  };
  const framing = needing("forward-framing", ["tcp", "tls"]);
  const settings = {
    destinations,
    limit: rate("forward-limit", value("forward-limit"), undefined),
    framing: oneOf("forward-framing", framing, FRAMING_NAMES, "octet"),
    sender: given["forward-sender"] === true,
    ca: path("forward-ca", needing("forward-ca", ["tls", "quic"])),
  };
  value("forward-sender");
  return destinations.length === 0 ? undefined : settings;
}

/** The purposes of what forwarding needs. */
export function forwardPurposes(
  settings: ForwardSettings | undefined,
  own: SchemeAddr | UnixAddr,
): Purpose[] {
  if (settings === undefined) return [];
  const { ca } = settings;
  const toTrust: Needs = ca === undefined ? {} : { read: [ca] };
  return settings.destinations.map((to) => [
    `forward to ${quote(formatAddress(to))}`,
    together(toForward(to, own), toTrust),
  ]);
}

function toForward(
  to: SchemeAddr | UnixAddr,
  own: SchemeAddr | UnixAddr,
): Needs {
  if ("path" in to) return toUseUnix(to.path);
  const needs = toConnect(to);
  // Whether it is an address of this machine shows by binding it.
  const mayBeOwn = "hostname" in own && own.port === to.port &&
    own.transport === to.transport && /^(0\.0\.0\.0|::)$/.test(own.hostname);
  if (!mayBeOwn || to.hostname === "localhost" || isLoopback(to.hostname)) {
    return needs;
  }
  return isIp(to.hostname)
    ? together(needs, toBind({ ...to, port: 0 }))
    : { net: true };
}

/** Opens a sink for each destination. */
export async function openForwards(
  { destinations, limit, framing, sender, ca }: ForwardSettings,
  socket: DatagramSocket,
  add: (sink: ForwardSink) => void,
): Promise<void> {
  const { forward } = await import("../sinks/forward.ts");
  const caCerts = await trusted(ca);
  for (const to of destinations) {
    const carrier = await carrierTo(to, framing, caCerts);
    const options = { carrier, framing, limit, sender, onTrouble: say };
    add(await forward(to, { socket, ...options }));
  }
}

/** Returns the carrier for a destination that has no default. */
async function carrierTo(
  to: SchemeAddr | UnixAddr,
  framing: FramingName,
  caCerts: string[] | undefined,
): Promise<CarrierSource | undefined> {
  const scheme = schemeOf(to);
  if (scheme === "tls") {
    const { tls } = await import("../carriers/tls.ts");
    const maxMessage = FRAMINGS[framing].largest;
    return tls({ framing, maxMessage, caCerts, sendMs: SEND_MS });
  }
  if (scheme !== "quic") return undefined;
  const { quic } = await import("../carriers/quic.ts");
  return quic({ caCerts, reliable: true, maxMessage: LARGEST });
}

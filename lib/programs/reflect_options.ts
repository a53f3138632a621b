import type { SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress, parseAddress } from "../address/address.ts";
import { rangeOf } from "../address/networks.ts";
import { MAX_RATE, REFLECTOR_ADDRESS } from "../measure/reflector.ts";
import { binaryCarrierSettings } from "./binary_carrier.ts";
import { type CarrierSettings, toCarry } from "./carriers.ts";
import { type Needs, toAnswer, together } from "./needs.ts";
import { type Options, rate, UsageError, wholeNumber } from "./options.ts";
import { toCountSystemDrops } from "./system_drops.ts";

/** The text of `--help`: one screen. */
export const REFLECT_HELP: string =
  `Answer the questions that measure the path to here (STAMP, RFC 8762): those of
deno task measure, and of the STAMP and TWAMP Light senders of routers.

Usage: deno task reflect [ADDRESS] [options]          [${REFLECTOR_ADDRESS}]

access     --allow, --deny CIDR only these sources, or not these (repeatable)
           --max-rate RATE      per session, such as 100/s; above ${MAX_RATE}/s only
                                with --allow       [${MAX_RATE}/s; --allow: any]
           --allow-port N       answer this port too: one below 1024, or the
                                reflector's own (repeatable)
transport  --framing F          tcp, tls: length | octet               [length]
           --cert F, --key F    tls, quic: PEM files; deno task cert makes both
           --token-file F       quic: the senders' secret (or env PLI_TOKEN)
           --fast               udp: many datagrams per system call (Linux, FFI)
           --receive-buffer N   udp: the system's buffer, as 4M (implies --fast)
output     --trace              log each datagram on standard error
           --quiet              only errors on standard error; no totals

ADDRESS is HOST:PORT, :PORT (loopback), udp://HOST:PORT, tcp://…, tls://… or
quic://…. Answers are never longer than questions, and answers of other
reflectors are not answered. Questions have 41 to 9,000 bytes. There are at most
1,000 sessions; a session ends after 30 seconds of silence. Ctrl-C prints the
totals. -h, --help, --version. Exit codes: 0 done by Ctrl-C; 1 bad usage or
address; 2 the socket could not be opened, or a permission is missing.
  deno task reflect --allow 127.0.0.1`;

/** The options that the reflector knows. */
export const REFLECT_OPTIONS = {
  values: [
    "max-rate",
    "framing",
    "cert",
    "key",
    "token-file",
    "receive-buffer",
  ],
  flags: ["fast", "trace", "quiet"],
  lists: ["allow", "deny", "allow-port"],
} as const;

/** The options of a command line, checked. */
export interface ReflectSettings {
  address: SchemeAddr;
  carrier: CarrierSettings;
  trace: boolean;
  quiet: boolean;
  /** For `reflect`. */
  reflector: {
    allow: string[] | undefined;
    deny: string[] | undefined;
    allowPorts: number[];
    maxRate: number | undefined;
  };
}

/**
 * Checks the command line.
 *
 * @throws {UsageError} Options do not fit together, or a value is wrong.
 * @throws {InvalidAddressError} An address or a network is wrong.
 */
export function reflectSettings(
  { values, flags, lists, rest }: Options<typeof REFLECT_OPTIONS>,
): ReflectSettings {
  if (rest.length > 1) {
    throw new UsageError(`expected one ADDRESS, got ${rest.length}`);
  }
  const address = parseAddress(rest[0] ?? REFLECTOR_ADDRESS);
  requireHost(address);
  const { allow, deny, "allow-port": ports = [] } = lists;
  [...allow ?? [], ...deny ?? []].forEach(rangeOf);
  const maxRate = rate("max-rate", values["max-rate"], undefined);
  if (maxRate !== undefined && maxRate > MAX_RATE && allow === undefined) {
    throw new UsageError(
      `--max-rate above ${MAX_RATE}/s needs --allow: whoever can forge a source could flood it`,
    );
  }
  return {
    address,
    carrier: binaryCarrierSettings(address, { ...values, ...flags }, {
      serves: true,
    }),
    trace: flags.trace,
    quiet: flags.quiet,
    reflector: {
      allow,
      deny,
      allowPorts: ports.map((text) =>
        wholeNumber("allow-port", text, 1, 0, 65_535)
      ),
      maxRate,
    },
  };
}

function requireHost(
  address: SchemeAddr | UnixAddr,
): asserts address is SchemeAddr {
  if (!("path" in address)) return;
  throw new UsageError(
    `${formatAddress(address)}: a unix: socket only receives; it cannot answer`,
  );
}

/** Returns the narrowest permissions that suffice. */
export function reflectNeeds({ address, carrier }: ReflectSettings): Needs {
  // Deno looks up the names of its own sockets after it checked the permission.
  const looksUp = carrier.fast || carrier.scheme === "quic";
  return together(
    toAnswer(address, looksUp),
    toCarry(carrier),
    toCountSystemDrops(carrier),
  );
}

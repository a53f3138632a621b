import {
  prefixOf,
  type Scheme,
  type SchemeAddr,
  schemeOf,
  type UnixAddr,
} from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { IPV4 } from "../address/host.ts";
import type { CarrierSource } from "../carrier.ts";
import { type FramingName, tcp } from "../carriers/tcp.ts";
import { FRAMINGS } from "../carriers/tcp/framing.ts";
import { udp } from "../carriers/udp.ts";
import { unix } from "../carriers/unix.ts";
import { identity, trusted } from "./identity.ts";
import { type Needs, together } from "./needs.ts";
import { receiveBuffer } from "./receive_buffer.ts";
import { offload, udpCarrier, type UdpSettings } from "./udp_carrier.ts";
import { isGiven, oneOf, path, UsageError } from "./options.ts";
import { readSecret, type Secret, toKnow } from "./secrets.ts";

const LARGEST_UDP = 65_527;
const LARGEST_UDP_IPV4 = 65_507;
const LARGEST_FRAME = 65_535;
// The largest `maxSize` of a socket.
const LARGEST = 64 * 1024 * 1024;

/** The options of a carrier, checked. */
export interface CarrierSettings extends UdpSettings {
  scheme: Scheme;
  framing: FramingName;
  /** Files: a server's certificate and key, or the certificates that a client trusts. */
  cert: string | undefined;
  key: string | undefined;
  ca: string | undefined;
  token: Secret;
  reliable: boolean;
}

/** The options that only some schemes have. */
const SPECIFIC = [
  "framing",
  "cert",
  "key",
  "ca",
  "token-file",
  "reliable",
  "fast",
  "receive-buffer",
] as const;
type Specific = typeof SPECIFIC[number];

/** The options of a carrier, as they were typed. */
export type CarrierOptions =
  & { readonly [name in Exclude<Specific, "reliable" | "fast">]?: string }
  & { readonly [name in "reliable" | "fast"]?: boolean };

/** The carriers of a server. */
export interface ServerCarrier {
  carrier: CarrierSource;
  /** By which it reaches itself. */
  own: CarrierSource;
}

/** What a server does with its messages, as far as carriers depend on it. */
export interface ServerUse {
  /** The longest message that it accepts, in bytes. */
  readonly maxSize: number;
  /**
   * Whether it ever replies. If not, a connection is closed as soon as its peer
   * has closed its sending side.
   */
  readonly replies: boolean;
  /** Whether only errors are printed. */
  readonly quiet?: boolean;
}

/** The facts about a scheme that programs need. */
interface SchemeFacts {
  /** Its options, of those that only some schemes have. */
  readonly options: readonly Specific[];
  /** The options that a server must have. */
  readonly required?: readonly ("cert" | "key")[];
  /** Returns the length of the longest possible message, in bytes. */
  largest(settings: CarrierSettings): number;
  /** The longest messages that a server accepts by default, in bytes. */
  readonly maxSize: number;
  /** Makes the carrier of a client. */
  client(settings: CarrierSettings): CarrierSource | Promise<CarrierSource>;
  /** Makes the carriers of a server. */
  server(
    settings: CarrierSettings,
    use: ServerUse,
  ): ServerCarrier | Promise<ServerCarrier>;
}

/** The schemes of the programs: the one place here that a new one needs. */
const CARRIERS: Readonly<Record<Scheme, SchemeFacts>> = {
  udp: {
    options: ["fast", "receive-buffer"],
    largest: () => LARGEST_UDP,
    maxSize: LARGEST_UDP,
    client: ({ fast }) => fast ? offload(["time"]) : udp(),
    async server(settings, { quiet = false }) {
      return { carrier: await udpCarrier(settings, quiet), own: udp() };
    },
  },
  tcp: {
    options: ["framing"],
    largest: largestFramed,
    maxSize: LARGEST_FRAME,
    client: (settings) => tcp(framed(settings)),
    server(settings, use) {
      const carrier = tcp(served(settings, use));
      return { carrier, own: carrier };
    },
  },
  tls: {
    options: ["framing", "cert", "key", "ca"],
    required: ["cert", "key"],
    largest: largestFramed,
    maxSize: LARGEST_FRAME,
    async client(settings) {
      const { tls } = await import("../carriers/tls.ts");
      return tls({ ...framed(settings), caCerts: await trusted(settings.ca) });
    },
    async server(settings, use) {
      const { tls } = await import("../carriers/tls.ts");
      const { cert, key, itself } = await identity(settings.cert, settings.key);
      const framing = served(settings, use);
      return {
        carrier: tls({ ...framing, cert, key }),
        own: tls({ ...framing, ...itself }),
      };
    },
  },
  quic: {
    options: ["cert", "key", "ca", "token-file", "reliable"],
    required: ["cert", "key"],
    largest: () => LARGEST,
    maxSize: LARGEST_UDP,
    async client(settings) {
      const { quic } = await import("../carriers/quic.ts");
      const caCerts = await trusted(settings.ca);
      const token = await readSecret(settings.token);
      const { reliable } = settings;
      // The smaller limit of both ends holds: the server's.
      return quic({ caCerts, token, reliable, maxMessage: LARGEST });
    },
    async server(settings, { maxSize }) {
      const { quic } = await import("../carriers/quic.ts");
      const { cert, key, itself } = await identity(settings.cert, settings.key);
      const token = await readSecret(settings.token);
      const maxMessage = Math.max(maxSize, LARGEST_UDP);
      return {
        carrier: quic({ cert, key, token, maxMessage }),
        own: quic({ ...itself, token, maxMessage }),
      };
    },
  },
  unix: {
    options: [],
    largest: () => LARGEST_UDP,
    maxSize: LARGEST_UDP,
    client: () => unix(),
    server: () => ({ carrier: unix(), own: unix() }),
  },
};

const FRAMING_NAMES = Object.keys(FRAMINGS) as FramingName[];

/**
 * Reads the options for a server or a client at that address.
 *
 * @throws {UsageError} One does not fit the address's scheme, or is missing.
 */
export function carrierSettings(
  address: SchemeAddr | UnixAddr,
  given: CarrierOptions,
  { serves = false }: { serves?: boolean } = {},
): CarrierSettings {
  const scheme = schemeOf(address);
  for (const name of SPECIFIC) {
    if (!isGiven(given, name) || CARRIERS[scheme].options.includes(name)) {
      continue;
    }
    const fitting = Object.entries(CARRIERS)
      .filter(([, { options }]) => options.includes(name))
      .map(([scheme]) => prefixOf(scheme)).join(" and ");
    const at = formatAddress(address);
    throw new UsageError(
      `--${name} is for ${fitting} addresses, not for ${at}`,
    );
  }
  const { framing, cert, key, ca, reliable, fast } = given;
  const { required = [] } = CARRIERS[scheme];
  if (serves && required.some((name) => given[name] === undefined)) {
    throw new UsageError(
      `a ${scheme}:// server needs ${
        required.map((name) => `--${name} FILE`).join(" and ")
      }; deno task cert makes both`,
    );
  }
  const buffer = receiveBuffer(given["receive-buffer"]);
  return {
    scheme,
    framing: oneOf("framing", framing, FRAMING_NAMES, "line"),
    cert: path("cert", cert),
    key: path("key", key),
    ca: path("ca", ca),
    token: {
      file: path("token-file", given["token-file"]),
      variable: "PLI_TOKEN",
    },
    reliable: reliable === true,
    // Only offload sets that buffer: Deno's own sockets and its node:dgram do not.
    fast: fast === true || buffer !== undefined,
    receiveBuffer: buffer,
  };
}

/**
 * Reads `--max-size`.
 *
 * @throws {UsageError} A message over that scheme cannot be that long.
 */
export function maxSizeFor(
  settings: CarrierSettings,
  size: number | undefined,
): number {
  const largest = largestMessage(settings);
  if (size === undefined) return CARRIERS[settings.scheme].maxSize;
  if (size <= largest) return size;
  throw new UsageError(
    `--max-size ${size}: over ${
      prefixOf(settings.scheme)
    } a message has at most ${largest} bytes`,
  );
}

/** Returns the length of the longest message that a carrier takes, in bytes. */
export function largestMessage(settings: CarrierSettings): number {
  return CARRIERS[settings.scheme].largest(settings);
}

/** Returns the length of the longest message to a peer, by its address. */
export function largestMessageTo(
  settings: CarrierSettings,
  remote: SchemeAddr | UnixAddr,
): number {
  const isIpv4 = settings.scheme === "udp" && "hostname" in remote &&
    IPV4.test(remote.hostname);
  return isIpv4 ? LARGEST_UDP_IPV4 : largestMessage(settings);
}

/** To read the files and the variable that the settings name. */
export function toCarry(
  { scheme, cert, key, ca, token, fast }: CarrierSettings,
): Needs {
  const files = [cert, key, ca].filter((file) => file !== undefined);
  return together(
    files.length > 0 ? { read: files } : {},
    CARRIERS[scheme].options.includes("token-file") ? toKnow(token) : {},
    { ffi: fast },
  );
}

/** Makes the carrier of a client. */
export async function clientCarrier(
  settings: CarrierSettings,
): Promise<CarrierSource> {
  return await CARRIERS[settings.scheme].client(settings);
}

/** Makes the carriers of a server. */
export async function serverCarrier(
  settings: CarrierSettings,
  use: ServerUse,
): Promise<ServerCarrier> {
  return await CARRIERS[settings.scheme].server(settings, use);
}

function largestFramed({ framing }: CarrierSettings): number {
  return FRAMINGS[framing].largest;
}

/** Returns how a client's messages are framed, and the longest of them. */
function framed(settings: CarrierSettings) {
  const { framing } = settings;
  return { framing, maxMessage: largestFramed(settings) };
}

/** Returns the same for a server, whose replies are no longer than messages. */
function served({ framing }: CarrierSettings, { maxSize, replies }: ServerUse) {
  return {
    framing,
    maxMessage: Math.max(maxSize, LARGEST_FRAME),
    ...(!replies && { replyMs: 0 }),
  };
}

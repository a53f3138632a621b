import type { SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { CarrierSource } from "../carrier.ts";
import { type FramingName, tcp } from "../carriers/tcp.ts";
import { oneOf, UsageError } from "./options.ts";
import { type Needs, together } from "./permissions.ts";
import { read, readSecret, type Secret, toKnow } from "./secrets.ts";

/** What a program is told of what carries its messages, checked. */
export interface CarrierSettings {
  scheme: string;
  framing: FramingName;
  /** Files: a server's certificate and its key, or whom a client trusts. */
  cert: string | undefined;
  key: string | undefined;
  ca: string | undefined;
  token: Secret;
  reliable: boolean;
  /** By the offload carrier. */
  fast: boolean;
}

/** Options by name, as they were typed. */
export type CarrierOptions = Partial<
  Record<"framing" | "cert" | "key" | "ca" | "token-file", string>
>;

/** For which schemes an option is. */
const SCHEMES: Record<string, readonly string[]> = {
  framing: ["tcp", "tls"],
  cert: ["tls", "quic"],
  key: ["tls", "quic"],
  ca: ["tls", "quic"],
  "token-file": ["quic"],
  reliable: ["quic"],
  fast: ["udp"],
};

const FRAMINGS = ["line", "length"] as const;

/**
 * Reads the options of a server or a client at that address.
 *
 * @throws {UsageError} One that does not fit the address's scheme, or is missing.
 */
export function carrierSettings(
  address: SchemeAddr | UnixAddr,
  values: CarrierOptions,
  { serves = false, reliable = false, fast = false },
): CarrierSettings {
  const scheme = schemeOf(address);
  const flags = { reliable: reliable || undefined, fast: fast || undefined };
  const given = { ...values, ...flags };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || !Object.hasOwn(SCHEMES, name)) continue;
    if (SCHEMES[name].includes(scheme)) continue;
    const fitting = SCHEMES[name].map((scheme) => `${scheme}://`).join(" and ");
    throw new UsageError(
      `--${name} is for ${fitting} addresses, not for ${
        formatAddress(address)
      }`,
    );
  }
  const { framing, cert, key, ca } = values;
  const isEncrypted = SCHEMES.cert.includes(scheme);
  if (serves && isEncrypted && (cert === undefined || key === undefined)) {
    throw new UsageError(
      `a ${scheme}:// server needs --cert FILE and --key FILE; deno task cert makes both`,
    );
  }
  return {
    scheme,
    framing: oneOf("framing", framing, FRAMINGS, "line"),
    cert,
    key,
    ca,
    token: { file: values["token-file"], variable: "PLI_TOKEN" },
    reliable,
    fast,
  };
}

/** To read what they name. */
export function toCarry(
  { scheme, cert, key, ca, token, fast }: CarrierSettings,
): Needs {
  const files = [cert, key, ca].filter((file) => file !== undefined);
  return together(
    files.length > 0 ? { read: files } : {},
    scheme === "quic" ? toKnow(token) : {},
    { ffi: fast },
  );
}

/** What a client's messages go by; `undefined` for what needs no carrier named. */
export async function clientCarrier(
  settings: CarrierSettings,
): Promise<CarrierSource | undefined> {
  const { scheme, framing, ca, reliable } = settings;
  if (settings.fast) return await offload();
  if (scheme === "tcp") return tcp({ framing });
  if (scheme !== "tls" && scheme !== "quic") return undefined;
  const caCerts = ca === undefined ? undefined : [await read(ca)];
  if (scheme === "tls") {
    const { tls } = await import("../carriers/tls.ts");
    return tls({ framing, caCerts });
  }
  const { quic } = await import("../carriers/quic.ts");
  const token = await readSecret(settings.token);
  return quic({ caCerts, token, reliable });
}

/** What a server's messages come by, and how it reaches itself. */
export interface ServerCarrier {
  carrier?: CarrierSource;
  own?: CarrierSource;
}

/**
 * Returns what carries a server's messages.
 *
 * @param replies Whether the server ever replies. If not, a connection is closed
 * as soon as its peer has closed its sending side.
 */
export async function serverCarrier(
  settings: CarrierSettings,
  replies: boolean,
): Promise<ServerCarrier> {
  const { scheme } = settings;
  const framed = {
    framing: settings.framing,
    ...(!replies && { replyMs: 0 }),
  };
  if (settings.fast) return { carrier: await offload() };
  if (scheme === "tcp") {
    const carrier = tcp(framed);
    return { carrier, own: carrier };
  }
  if (settings.cert === undefined || settings.key === undefined) return {};
  const cert = await read(settings.cert);
  const key = await read(settings.key);
  // It is itself when it shows its own certificate, whatever that is for.
  const itself = { caCerts: [cert], serverName: await nameIn(cert) };
  if (scheme === "tls") {
    const { tls } = await import("../carriers/tls.ts");
    return {
      carrier: tls({ ...framed, cert, key }),
      own: tls({ ...framed, ...itself }),
    };
  }
  const { quic } = await import("../carriers/quic.ts");
  const token = await readSecret(settings.token);
  return {
    carrier: quic({ cert, key, token }),
    own: quic({ ...itself, token }),
  };
}

async function offload(): Promise<CarrierSource> {
  return (await import("../carriers/offload.ts")).offload();
}

function schemeOf(address: SchemeAddr | UnixAddr): string {
  return "path" in address ? "unix" : address.scheme ?? address.transport;
}

/** The first name that a certificate is for; what is none fails where it is used. */
async function nameIn(cert: string): Promise<string | undefined> {
  const { X509Certificate } = await import("node:crypto");
  try {
    const names = new X509Certificate(cert).subjectAltName ?? "";
    return /(?:DNS|IP Address):([^,]+)/.exec(names)?.[1];
  } catch {
    return undefined;
  }
}

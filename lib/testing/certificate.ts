import type { JsonGeneralName } from "@peculiar/x509";
import { isIp } from "../address/host.ts";
import { requireOptions, wholeNumber, wrongType } from "../check.ts";
import { cannot } from "../errors.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
// A hundred years.
const MAX_DAYS = 36_500;
const ACTION = "make a certificate";

/** What {@linkcode makeCertificate} makes its certificate for. */
export interface CertificateOptions {
  /**
   * The host names and IP addresses that clients may reach the server by.
   * @default {["localhost", "127.0.0.1", "::1"]}
   */
  hosts?: readonly string[] | undefined;
  /** How many days from now it is valid. @default {30} */
  days?: number | undefined;
  /**
   * When its validity begins.
   * @default {a day ago, for clients whose clocks are slow}
   */
  notBefore?: Date | undefined;
}

/** A certificate and its key, both as PEM text. */
export interface Certificate {
  /** The certificate: give it to clients, as one of their `caCerts`. */
  cert: string;
  /** The private key: it stays with the server. */
  key: string;
}

/**
 * Makes a self-signed certificate with a new key (ECDSA, P-256), for tests and
 * for development: only clients that are given the certificate trust it. It is
 * marked as no authority (CA:FALSE), since clients do not accept an authority's
 * certificate as a server's.
 *
 * On Node and Bun it needs the packages `@peculiar/x509` and `reflect-metadata`,
 * which are not installed with this one.
 *
 * @throws {Error} Those packages are not installed.
 * @throws {RangeError} `days` is not a whole number from 1 to 36500.
 * @throws {TypeError} `hosts` is empty, or no array.
 *
 * @example
 * ```ts
 * import { bind, connect } from "@pli/datagram";
 * import { makeCertificate } from "@pli/datagram/testing";
 * import { tls } from "@pli/datagram/tls";
 *
 * const { cert, key } = await makeCertificate();
 * await using socket = bind("tls://127.0.0.1:0", { carrier: tls({ cert, key }) });
 * await using client = await connect(socket.addr, {
 *   carrier: tls({ caCerts: [cert] }),
 * });
 * await client.send("Bonjour");
 * console.log((await socket.receive()).text());
 * ```
 */
export async function makeCertificate(
  options: CertificateOptions = {},
): Promise<Certificate> {
  requireOptions(ACTION, options);
  const {
    hosts = ["localhost", "127.0.0.1", "::1"],
    notBefore = new Date(Date.now() - DAY_MS),
  } = options;
  const days = wholeNumber(ACTION, "days", options.days ?? 30, 1, MAX_DAYS);
  if (!Array.isArray(hosts) || hosts.length === 0) {
    throw wrongType(ACTION, "hosts", "names or IP addresses", hosts);
  }
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]);
  const names = hosts.map((value): JsonGeneralName => ({
    type: isIp(value) ? "ip" : "dns",
    value,
  }));
  // A positive number (RFC 5280, section 4.1.2.2).
  const serial = `40${crypto.randomUUID().replaceAll("-", "").slice(2)}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial,
    name: [{ CN: hosts.slice(0, 1) }],
    notBefore,
    notAfter: new Date(notBefore.getTime() + (days + 1) * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  }, crypto);
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  const { PemConverter } = x509;
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `${PemConverter.encode(key, PemConverter.PrivateKeyTag)}\n`,
  };
}

/** Loads what only certificates need, and what takes long to load. */
async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  try {
    // x509 fails without it.
    await import("reflect-metadata");
    return await import("@peculiar/x509");
  } catch (cause) {
    const wanted = "install the packages @peculiar/x509 and reflect-metadata";
    throw new Error(cannot(ACTION, wanted), { cause });
  }
}

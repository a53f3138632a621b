import { shown } from "../check.ts";
import { withFields } from "../errors.ts";

/** Certificates and keys: options of `tls` and `quic`. */
export interface PemOptions {
  /**
   * The server's certificate as PEM, followed by the certificates of its
   * issuers, if it has any.
   * @default {none: the source can only connect}
   */
  cert?: string;
  /** The private key of `cert` as PEM, not encrypted. */
  key?: string;
  /**
   * Certificates as PEM that a client trusts besides the well-known authorities.
   * A self-signed server's own certificate belongs here.
   * @default {none}
   */
  caCerts?: string[];
  /**
   * The name that the server's certificate must be issued for.
   * @default {the host of the address}
   */
  serverName?: string;
}

const CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const KEY = "PRIVATE KEY-----";

/**
 * Checks that each option is of the right type, and PEM if it has to be. The
 * messages never show what was given: it may be a key.
 *
 * @param source The function whose options they are.
 * @throws {TypeError} One of them is invalid.
 */
export function checkPem(
  source: "tls" | "quic",
  { cert, key, caCerts, serverName }: PemOptions,
): void {
  const invalid = (name: string, wanted: string, value: unknown) => {
    const given = typeof value === "string" ? "other text" : shown(value);
    const text = `${name} must be ${wanted}: given ${given}`;
    return withFields(new TypeError(`Cannot use ${source}: ${text}`), {
      operation: "use",
    });
  };
  if (cert !== undefined && !holds(cert, CERTIFICATE)) {
    throw invalid("cert", "a certificate in PEM", cert);
  }
  if (key !== undefined && !holds(key, KEY)) {
    throw invalid("key", "a private key in PEM", key);
  }
  if (serverName !== undefined && typeof serverName !== "string") {
    throw invalid("serverName", "a host name", serverName);
  }
  if (caCerts === undefined) return;
  const wanted = "an array of certificates in PEM";
  if (!Array.isArray(caCerts)) throw invalid("caCerts", wanted, caCerts);
  for (const pem of caCerts) {
    if (!holds(pem, CERTIFICATE)) throw invalid("caCerts", wanted, pem);
  }
}

function holds(pem: unknown, mark: string): boolean {
  return typeof pem === "string" && pem.includes(mark);
}

/** Rewords Deno's errors about certificates, which do not name the options. */
export function certificateFailure(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { message } = cause;
  const text = message.startsWith("No certificates")
    ? "cert holds no certificate that can be read"
    : message.startsWith("No keys")
    ? "key holds no private key that can be read; is it encrypted?"
    : message.includes("KeyMismatch")
    ? "key is not the key of cert"
    : undefined;
  return text === undefined ? cause : new TypeError(text, { cause });
}

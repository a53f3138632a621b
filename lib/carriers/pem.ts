import { requireOptions, shown } from "../check.ts";
import { withFields } from "../errors.ts";

/** Certificates and keys: options of `tls` and `quic`. */
export interface PemOptions {
  /**
   * The server's certificate as PEM, followed by the certificates of its
   * issuers, if it has any.
   * @default {none: the source can only connect}
   */
  cert?: string | undefined;
  /** The private key of `cert` as PEM, not encrypted. */
  key?: string | undefined;
  /**
   * Certificates as PEM that a client trusts besides the well-known authorities.
   * A self-signed server's own certificate belongs here.
   * @default {none}
   */
  caCerts?: string[] | undefined;
  /**
   * The name that the server's certificate must be issued for.
   * @default {the host of the address}
   */
  serverName?: string | undefined;
}

const CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const CERTIFICATE_END = "-----END CERTIFICATE-----";
const KEY = "PRIVATE KEY-----";
// PKCS #8 and, in the lines after its first, PKCS #1 and SEC 1.
const ENCRYPTED = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/;
// What a PEM text holds, by its first line: nothing of the content.
const LABEL = /-----BEGIN ([A-Z0-9 ]{1,40})-----/;
// How DER and PKCS #12 begin, also if they were read as text.
const BINARY = /^0(?:[\x80-\xff\ufffd]|.\p{Cc}{3})/u;
const UTF_16 = /-\0-\0/;
const BYTE_ORDER_MARK = /^\ufeff/;

/**
 * Checks that each option is of the right type, and PEM if it has to be. The
 * messages never show what was given: it may be a key.
 *
 * @param source The function whose options they are.
 * @returns The options: a copy, without byte order marks.
 * @throws {TypeError} One of them is invalid.
 */
export function checkPem(
  source: "tls" | "quic",
  options: PemOptions,
): PemOptions {
  requireOptions(`use ${source}`, options);
  const { cert, key, caCerts, serverName } = options;
  const fail = (text: string) =>
    withFields(new TypeError(`Cannot use ${source}: ${text}`), {
      operation: "use",
    });
  const invalid = (name: string, wanted: string, value: unknown) =>
    fail(`${name} must be ${wanted}: given ${described(value)}`);
  const checked: PemOptions = {};
  if (cert !== undefined) {
    checked.cert = pem(cert, CERTIFICATE) ??
      raise(invalid("cert", "a certificate in PEM", cert));
  }
  if (key !== undefined) {
    checked.key = pem(key, KEY) ??
      raise(invalid("key", "a private key in PEM", key));
    if (ENCRYPTED.test(key)) {
      throw fail(
        "key is encrypted; decrypt it: openssl pkey -in KEY -out DECRYPTED",
      );
    }
  }
  if (serverName !== undefined) {
    if (typeof serverName !== "string") {
      throw invalid("serverName", "a host name", serverName);
    }
    checked.serverName = serverName;
  }
  if (caCerts === undefined) return checked;
  const wanted = "an array of certificates in PEM";
  if (!Array.isArray(caCerts)) throw invalid("caCerts", wanted, caCerts);
  checked.caCerts = caCerts.map((each) =>
    pem(each, CERTIFICATE) ?? raise(invalid("caCerts", wanted, each))
  );
  return checked;
}

/** Returns PEM as the TLS library takes it; `undefined` if it cannot. */
function pem(value: unknown, mark: string): string | undefined {
  if (typeof value !== "string" || !value.includes(mark)) return undefined;
  if (mark === CERTIFICATE && isDamaged(value)) return undefined;
  return value.replace(BYTE_ORDER_MARK, "");
}

function described(value: unknown): string {
  if (typeof value !== "string") return shown(value);
  if (value === "") return "empty text";
  if (value.includes(CERTIFICATE) && isDamaged(value)) {
    return "a certificate that is damaged";
  }
  if (BINARY.test(value)) {
    return "a binary form such as DER; convert it: openssl x509 -inform der, or openssl pkey -inform der";
  }
  if (UTF_16.test(value)) return "text in UTF-16; save it as UTF-8";
  const label = LABEL.exec(value)?.[1];
  return label === undefined ? "other text" : `PEM of a ${label}`;
}

/** Whether a certificate in PEM is cut off, or altered so that it cannot be read. */
function isDamaged(text: string): boolean {
  return text.split(CERTIFICATE).slice(1).some((rest) => {
    const end = rest.indexOf(CERTIFICATE_END);
    try {
      return end < 0 || !isWhole(atob(rest.slice(0, end)));
    } catch {
      return true;
    }
  });
}

/** Whether bytes are one value in DER: its tag, its length, and that many bytes. */
function isWhole(der: string): boolean {
  const [tag, first = 0, ...more] = Array.from(
    der.slice(0, 6),
    (char) => char.charCodeAt(0),
  );
  const size = first < 0x80 ? 0 : first - 0x80;
  const length = more.slice(0, size).reduce((sum, byte) => sum * 256 + byte, 0);
  return tag === 0x30 && size <= more.length &&
    2 + size + (size === 0 ? first : length) === der.length;
}

function raise(error: Error): never {
  throw error;
}

/** Rewords Deno's errors about certificates, which do not name the options. */
export function certificateFailure(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { message } = cause;
  const text = message.startsWith("No certificates") ||
      message.includes("decode certificate") || message.includes("BadEncoding")
    ? "cert holds no certificate that can be read"
    : message.includes("UnsupportedCertVersion")
    ? "cert is of X.509 version 1; make one of version 3, with subjectAltName"
    : message.startsWith("No keys") || message.includes("decode key")
    ? "key holds no private key that can be read"
    : message.includes("KeyMismatch")
    ? "key is not the key of cert, which has to begin with the server's own certificate"
    : message.includes("failed to parse private key")
    ? "key is of a kind that is not supported: use ECDSA (P-256, P-384, P-521), Ed25519, or RSA of 2048 bits or more"
    : undefined;
  return text === undefined ? cause : new TypeError(text, { cause });
}

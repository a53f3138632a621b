import { type ErrorClass, errors } from "../errors.ts";

const { InvalidData, NotSupported } = errors;

// What the TLS library (rustls) writes, and TLS's alert of the same meaning (RFC
// 8446, section 6.2), which is all that QUIC passes on in some cases.
const FAILURES: readonly [RegExp, ErrorClass, string][] = [
  [
    /CaUsedAsEndEntity/,
    InvalidData,
    "the server's certificate is one of an authority (CA:TRUE), which cannot be a server's own; make one with basicConstraints=CA:FALSE: by deno task cert, or with -addext basicConstraints=critical,CA:FALSE after openssl req -x509",
  ],
  [
    /UnsupportedCertVersion/,
    InvalidData,
    "the server's certificate is of X.509 version 1; make one of version 3, with subjectAltName",
  ],
  [
    /extended key usage|\berror 43\b/,
    InvalidData,
    "the server's certificate is not for servers: its extendedKeyUsage lacks serverAuth",
  ],
  [
    /not valid for name|\berror 42\b/,
    InvalidData,
    "the server's certificate is not for that name",
  ],
  [
    /certificate expired|not valid yet|\berror 45\b/,
    InvalidData,
    "the server's certificate has expired, or is not valid yet",
  ],
  [
    /UnknownIssuer|\berror 48\b/,
    InvalidData,
    "the server's certificate comes from an unknown issuer; trust it by caCerts, or --ca FILE",
  ],
  [
    /BadSignature|UnsupportedSignatureAlgorithm|\berror 51\b/,
    InvalidData,
    "the server's certificate is not signed by any certificate in caCerts",
  ],
  [
    /\berror 120\b/,
    NotSupported,
    "the server speaks another protocol than pli/1",
  ],
  [
    /received corrupt message/,
    InvalidData,
    "the server does not speak TLS",
  ],
];
const UNKNOWN =
  /invalid peer certificate: (?:Other\(OtherError\()?(.*?)\)*$|\berror 46\b/;

/** Rewords the error of a handshake as one line that names the reason. */
export function handshakeFailure(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { message } = cause;
  const known = FAILURES.find(([pattern]) => pattern.test(message));
  if (known !== undefined) {
    const [, Class, text] = known;
    return new Class(text + detail(message), { cause });
  }
  const unknown = UNKNOWN.exec(message);
  if (unknown !== null) {
    const text = "the server's certificate is not accepted";
    const why = unknown[1] === undefined ? "" : `: ${unknown[1]}`;
    return new InvalidData(text + why, { cause });
  }
  return /handshake eof|unexpected end of file/.test(message)
    ? new errors.ConnectionReset(
      "the server closed the connection during the TLS handshake; does it speak TLS?",
      { cause },
    )
    : cause;
}

/** Names the host that a certificate was not valid for. */
function detail(message: string): string {
  const name = /not valid for name ("[^"]*")/.exec(message)?.[1];
  if (name === undefined) return "";
  return message.includes("not valid for any names")
    ? `: ${name}; it has no subjectAltName`
    : `: ${name}`;
}

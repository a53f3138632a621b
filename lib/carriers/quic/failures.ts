import { errors, quote } from "../../errors.ts";

/** What a connection is closed with, as this protocol numbers it. */
export const CODE = {
  goodbye: 0,
  token: 1,
  hello: 2,
  slow: 3,
  full: 4,
  replaced: 5,
  stalled: 6,
  protocol: 7,
} as const;

const MEANINGS: Record<number, string> = {
  [CODE.goodbye]: "the peer has closed the connection",
  [CODE.token]: "the server refused the token",
  [CODE.hello]: "the server did not understand the hello",
  [CODE.slow]: "the server got no hello in time",
  [CODE.full]: "the server has as many peers as it takes",
  [CODE.replaced]: "another connection came from the same address",
  [CODE.stalled]: "the peer waited too long for its messages to be taken",
  [CODE.protocol]: "the peer was sent what it did not understand",
};

/** Why the peer closed. */
export function meaningOf({ closeCode, reason }: Deno.QuicCloseInfo): string {
  return MEANINGS[closeCode] ??
    `the peer has closed the connection: ${quote(reason)} (code ${closeCode})`;
}

/** That the server closed the connection before it was one. */
export function refusal(info: Deno.QuicCloseInfo): Error {
  const text = meaningOf(info);
  return info.closeCode === CODE.token
    ? new errors.PermissionDenied(text)
    : new errors.ConnectionRefused(text);
}

type ErrorClass = new (message: string, options: ErrorOptions) => Error;

// The TLS alerts (RFC 8446, section 6) that rustls sends, and what they mean.
const ALERTS: Record<string, [ErrorClass, string]> = {
  42: [
    errors.InvalidData,
    "the server's certificate is not for that name",
  ],
  45: [
    errors.InvalidData,
    "the server's certificate has expired, or is not valid yet",
  ],
  48: [
    errors.InvalidData,
    "the server's certificate comes from an unknown issuer; trust it by caCerts, or --ca FILE",
  ],
  51: [
    errors.InvalidData,
    "the server's certificate is not signed by what caCerts holds",
  ],
  120: [
    errors.NotSupported,
    "the server speaks another protocol than pli/1",
  ],
};

/** What the handshake failed with, as one line that says what is wrong. */
export function handshakeFailure(cause: unknown): Error {
  const { message } = cause as Error;
  const alert = ALERTS[/\berror (\d+)\b/.exec(message)?.[1] ?? ""];
  if (alert !== undefined) {
    const [Class, text] = alert;
    const name = /not valid for name ("[^"]*")/.exec(message)?.[1];
    return new Class(name === undefined ? text : `${text}: ${name}`, { cause });
  }
  if (message.includes("refused to accept")) {
    return new errors.ConnectionRefused(
      "the server takes no more connections now",
      { cause },
    );
  }
  return cause as Error;
}

/** That nobody answered. */
export function noAnswer(ms: number): Error {
  return new errors.TimedOut(
    `no answer within ${ms} ms: nothing listens there, or UDP does not get through`,
  );
}

/** Deno's errors about certificates name neither option. */
export function certificateFailure(cause: unknown): unknown {
  const { message } = cause as Error;
  const text = message.startsWith("No certificates")
    ? "cert is no certificate in PEM"
    : message.startsWith("No keys")
    ? "key is no private key in PEM"
    : message.includes("KeyMismatch")
    ? "key is not the key of cert"
    : undefined;
  return text === undefined ? cause : new TypeError(text, { cause });
}

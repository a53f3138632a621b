import { credsAuthenticator } from "@nats-io/transport-node";

/** What a broker is shown, as its client takes it. */
export interface Credentials {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly authenticator?: ReturnType<typeof credsAuthenticator>;
}

const CREDS = "-----BEGIN NATS USER JWT-----";

/**
 * Reads credentials: the content of a `.creds` file, `USER:PASSWORD`, or a token,
 * which has no colon. Nothing in them is encoded.
 *
 * @throws {Error} They are none of these. The message contains nothing of them.
 */
export function readCredentials(text: string): Credentials {
  if (text.includes(CREDS)) {
    // The client wants a line break after the last line.
    const creds = new TextEncoder().encode(`${text}\n`);
    return { authenticator: credsAuthenticator(creds) };
  }
  const line = text.trim();
  const colon = line.indexOf(":");
  if (line !== "" && colon !== 0 && !/[\r\n]/.test(line)) {
    return colon < 0
      ? { token: line }
      : { user: line.slice(0, colon), pass: line.slice(colon + 1) };
  }
  throw new Error(
    "Cannot use the credentials: they must be USER:PASSWORD, a token, or the content of a .creds file",
  );
}

import type { NetAddr } from "../../addr.ts";
import { parseAddress } from "../../address/address.ts";
import { bracketed } from "../../address/authority.ts";
import { InvalidAddressError, quote } from "../../errors.ts";

const EXAMPLE = '"nats://127.0.0.1:4222/pli.messages"';
const DEFAULT_PORT = 4222;
const MAX_SUBJECT_BYTES = 255;
const URL_PARTS = /^(nats|tls):\/\/(?:([^/]*)@)?([^@/]*)(?:\/(.*))?$/is;

/** A broker and a subject; {@linkcode parseNatsUrl} returns it. */
export interface NatsUrl {
  /** The broker's name or IP address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The broker's TCP port. */
  readonly port: number;
  /** Whether the connection must be encrypted, as for `tls://` URLs. */
  readonly tls: boolean;
  /** The subject that messages are published to. */
  readonly subject: string;
  /** The URL without credentials, which is safe to print. */
  readonly destination: string;
  /** Decoded credentials. Never print them. */
  readonly credentials: {
    readonly user?: string;
    readonly pass?: string;
    readonly token?: string;
  };
}

/**
 * Parses `nats://HOST:PORT/SUBJECT`. The port is 4222 by default. Credentials
 * are `nats://USER:PASSWORD@…` or `nats://TOKEN@…`, with `%40` for an `@` in
 * them. `tls://` requires encryption. The name is not resolved, and no
 * connection is opened.
 *
 * @throws {InvalidAddressError} `text` has another form, or its subject has
 * wildcards. The message contains no credentials.
 */
export function parseNatsUrl(text: string): NatsUrl {
  const shown = String(text).replace(/^([a-z]+:\/\/)?.*@/is, "$1…@");
  const invalid = (wanted: string) => new InvalidAddressError(shown, wanted);
  const parts = URL_PARTS.exec(text);
  if (parts === null) {
    throw invalid(`give a broker and a subject, as ${EXAMPLE}`);
  }
  const [, scheme = "", userinfo, authority = "", subject = ""] = parts;
  const { hostname, port } = parseBroker(authority, invalid);
  checkSubject(subject, invalid);
  const protocol = scheme.toLowerCase();
  return {
    hostname,
    port,
    tls: protocol === "tls",
    subject,
    destination: `${protocol}://${bracketed(hostname)}:${port}/${subject}`,
    credentials: parseCredentials(userinfo, invalid),
  };
}

function parseBroker(
  authority: string,
  invalid: (wanted: string) => Error,
): { hostname: string; port: number } {
  const hasPort = /:\d*$/.test(authority) && !/^[^[]*:.*:/.test(authority);
  const address = readAddress(
    hasPort ? authority : `${authority}:${DEFAULT_PORT}`,
  );
  if (authority === "" || address === undefined || address.port === 0) {
    throw invalid(
      `the broker must be a host and a port from 1 to 65535, as in ${EXAMPLE}`,
    );
  }
  return address;
}

function readAddress(text: string): NetAddr | undefined {
  try {
    const address = parseAddress(`udp://${text}`);
    return "port" in address ? address : undefined;
  } catch {
    return undefined;
  }
}

function checkSubject(
  subject: string,
  invalid: (wanted: string) => Error,
): void {
  if (subject === "") {
    throw invalid(`the subject is missing, as in ${EXAMPLE}`);
  }
  // Characters that would not survive in a URL, or that have a meaning there or
  // for the broker. It takes half a millisecond, so not every server makes it.
  const misplaced = /[\s\p{C}\p{Z}*>/?#%"'\\]/u.exec(subject)?.[0];
  if (misplaced !== undefined) {
    throw invalid(
      `a subject to publish to must not contain ${quote(misplaced)}, ` +
        `as in ${EXAMPLE}`,
    );
  }
  if (subject.split(".").includes("")) {
    throw invalid(
      "a subject must not begin or end with a dot, or contain two in a row",
    );
  }
  if (subject.startsWith("$")) {
    throw invalid('subjects that begin with "$" are reserved for the broker');
  }
  if (new TextEncoder().encode(subject).length > MAX_SUBJECT_BYTES) {
    throw invalid(`a subject must be at most ${MAX_SUBJECT_BYTES} bytes long`);
  }
}

function parseCredentials(
  userinfo: string | undefined,
  invalid: (wanted: string) => Error,
): NatsUrl["credentials"] {
  if (userinfo === undefined) return {};
  const colon = userinfo.indexOf(":");
  try {
    if (colon < 0 && userinfo !== "") {
      return { token: decodeURIComponent(userinfo) };
    }
    const user = decodeURIComponent(userinfo.slice(0, colon));
    const pass = decodeURIComponent(userinfo.slice(colon + 1));
    if (user !== "") return { user, pass };
  } catch {
    // A "%" that does not begin an escape: rejected below.
  }
  throw invalid(
    'credentials must be "USER:PASSWORD@" or "TOKEN@" before the host, with ' +
      '"%25" for each "%" in them',
  );
}

import { read } from "./secrets.ts";

/** Reads the certificates that a client trusts besides the system's. */
export async function trusted(
  ca: string | undefined,
): Promise<string[] | undefined> {
  return ca === undefined ? undefined : [await read(ca)];
}

/** The certificate of a server. */
export interface Identity {
  cert: string;
  key: string;
  /** By which a client recognizes the server, whatever its certificate is for. */
  itself: { caCerts: string[]; serverName: string | undefined };
}

/** Reads the certificate of a server, and its key. Both files are required. */
export async function identity(
  certFile = "",
  keyFile = "",
): Promise<Identity> {
  const cert = await read(certFile);
  const key = await read(keyFile);
  const serverName = await nameIn(cert);
  return { cert, key, itself: { caCerts: [cert], serverName } };
}

/** Returns the first name in a certificate; an invalid one fails when used. */
async function nameIn(cert: string): Promise<string | undefined> {
  const { X509Certificate } = await import("node:crypto");
  try {
    const names = new X509Certificate(cert).subjectAltName ?? "";
    return /(?:DNS|IP Address):([^,]+)/.exec(names)?.[1];
  } catch {
    return undefined;
  }
}

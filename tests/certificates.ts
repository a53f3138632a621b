import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { isIp } from "../lib/host.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** What a certificate is for. */
export interface CertificateOptions {
  /** Host names and IP addresses. @default {localhost, 127.0.0.1, ::1} */
  names?: string[];
  /** From when on. @default {a day ago} */
  notBefore?: Date;
  /** Until when. @default {in a day} */
  notAfter?: Date;
}

/** A certificate that vouches for itself, and its key, both as PEM. */
export async function certificate(
  options: CertificateOptions = {},
): Promise<{ cert: string; key: string }> {
  const now = Date.now();
  const {
    names = ["localhost", "127.0.0.1", "::1"],
    notBefore = new Date(now - DAY_MS),
    notAfter = new Date(now + DAY_MS),
  } = options;
  const usages: KeyUsage[] = ["sign", "verify"];
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, usages);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0]}`,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      // TLS takes no certificate of an authority for that of a server.
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({
          type: isIp(value) ? "ip" as const : "dns" as const,
          value,
        })),
      ),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: made.toString("pem"),
    key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"),
  };
}

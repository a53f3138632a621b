import "reflect-metadata";
import {
  BasicConstraintsExtension,
  type JsonGeneralName,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIp } from "../address/host.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** What a certificate is for. */
export interface CertificateOptions {
  /** Names and IP addresses. */
  hosts: readonly string[];
  /** From when on it is valid. @default {now, less a day for clocks that are slow} */
  notBefore?: Date;
  /** How long it is valid, in days. */
  days: number;
}

/**
 * Makes a key (ECDSA, P-256) and a certificate for it that signs itself, both in
 * PEM. It is no authority (CA:FALSE): else clients would not take it as a
 * server's.
 */
export async function makeCertificate(
  { hosts, days, notBefore = new Date(Date.now() - DAY_MS) }:
    CertificateOptions,
): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, [
    "sign",
    "verify",
  ]);
  const names = hosts.map((value): JsonGeneralName => ({
    type: isIp(value) ? "ip" : "dns",
    value,
  }));
  const serial = crypto.getRandomValues(new Uint8Array(16));
  // A positive number (RFC 5280, section 4.1.2.2).
  serial[0] = serial[0] & 0x7f | 1;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toHex(),
    name: [{ CN: [hosts[0]] }],
    notBefore,
    notAfter: new Date(notBefore.getTime() + (days + 1) * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new SubjectAlternativeNameExtension(names),
    ],
  }, crypto);
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: `${PemConverter.encode(key, PemConverter.PrivateKeyTag)}\n`,
  };
}

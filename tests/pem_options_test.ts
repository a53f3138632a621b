import { assertEquals, assertThrows } from "@std/assert";
import { quic } from "../lib/carriers/quic.ts";
import { tls } from "../lib/carriers/tls.ts";
import { cert, key } from "./support/quics.ts";

const INVALID: [string, unknown, string][] = [
  ["cert", "cert.pem", "a certificate in PEM: given other text"],
  ["cert", key, "a certificate in PEM: given PEM of a PRIVATE KEY"],
  [
    "cert",
    "-----BEGIN CERTIFICATE REQUEST-----\nMII",
    "a certificate in PEM: given PEM of a CERTIFICATE REQUEST",
  ],
  [
    "cert",
    [...cert].join("\0"),
    "a certificate in PEM: given text in UTF-16; save it as UTF-8",
  ],
  ["key", cert, "a private key in PEM: given PEM of a CERTIFICATE"],
  ["key", new Uint8Array(9), "a private key in PEM: given a Uint8Array"],
  [
    "caCerts",
    cert,
    "an array of certificates in PEM: given PEM of a CERTIFICATE",
  ],
  [
    "caCerts",
    ["cert.pem"],
    "an array of certificates in PEM: given other text",
  ],
  [
    "caCerts",
    [cert, key],
    "an array of certificates in PEM: given PEM of a PRIVATE KEY",
  ],
  ["caCerts", [7], "an array of certificates in PEM: given 7"],
  ["serverName", 7, "a host name: given 7"],
];
for (const [name, value, wanted] of INVALID) {
  for (const source of [tls, quic]) {
    Deno.test(`${source.name}: an invalid ${name} is rejected, not shown: ${wanted}`, () => {
      const error = assertThrows(
        () => source({ cert, key, [name]: value }),
        TypeError,
      );
      assertEquals(
        error.message,
        `Cannot use ${source.name}: ${name} must be ${wanted}`,
      );
    });
  }
}

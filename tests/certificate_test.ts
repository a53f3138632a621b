import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "@peculiar/x509";
import { makeCertificate } from "../lib/testing/mod.ts";

const DAY_MS = 86_400_000;

function names(certificate: X509Certificate): string[] {
  return certificate.getExtension(SubjectAlternativeNameExtension)!
    .names.items.map(({ value }) => value);
}

Deno.test("a certificate is for this machine and valid now, and is no authority", async () => {
  const { cert, key } = await makeCertificate();
  const certificate = new X509Certificate(cert);
  assertEquals(names(certificate), ["localhost", "127.0.0.1", "::1"]);
  assertEquals(certificate.getExtension(BasicConstraintsExtension)?.ca, false);
  assertEquals(await certificate.verify({ date: new Date() }), true);
  const days = (certificate.notAfter.getTime() - Date.now()) / DAY_MS;
  assertEquals(Math.round(days), 30);
  assertMatch(
    key,
    /^-----BEGIN PRIVATE KEY-----\n[^]+-----END PRIVATE KEY-----\n$/,
  );
});

Deno.test("a certificate is for the hosts and the time that are given", async () => {
  const notBefore = new Date("2020-01-01T00:00:00Z");
  const hosts = ["pli.example", "2001:db8::1"];
  const { cert } = await makeCertificate({ hosts, days: 3, notBefore });
  const certificate = new X509Certificate(cert);
  assertEquals(names(certificate), hosts);
  assertEquals(certificate.subject, "CN=pli.example");
  assertEquals(certificate.notBefore, notBefore);
  assertEquals(certificate.notAfter, new Date("2020-01-05T00:00:00Z"));
});

Deno.test("each certificate has a positive serial number of its own", async () => {
  const serials = new Set<string>();
  for (let n = 0; n < 3; n++) {
    const { cert } = await makeCertificate();
    const { serialNumber } = new X509Certificate(cert);
    assertMatch(serialNumber, /^40[\da-f]{30}$/);
    serials.add(serialNumber);
  }
  assertEquals(serials.size, 3);
});

for (const days of [0, 1.5, NaN, Infinity, 36_501]) {
  Deno.test(`a certificate for ${days} days is refused`, async () => {
    await assertRejects(
      () => makeCertificate({ days }),
      RangeError,
      "Cannot make a certificate: days must be a whole number from 1 to 36500",
    );
  });
}

Deno.test("a certificate for no host is refused", async () => {
  await assertRejects(() => makeCertificate({ hosts: [] }), TypeError, "hosts");
});

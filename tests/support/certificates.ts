import { makeCertificate } from "../../lib/testing/certificate.ts";

/** The properties of a test's certificate. */
export interface TestCertificate {
  /** Names and addresses. @default {localhost, 127.0.0.1 and ::1} */
  hosts?: string[];
  /** Whether its validity has ended. @default {false} */
  expired?: boolean;
}

/** Makes a self-signed certificate and its key, in PEM. */
export async function certificate(
  { hosts = ["localhost", "127.0.0.1", "::1"], expired = false }:
    TestCertificate = {},
): Promise<{ cert: string; key: string }> {
  const notBefore = expired ? new Date("2020-01-01") : undefined;
  return await makeCertificate({ hosts, days: 30, notBefore });
}

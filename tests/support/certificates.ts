import { makeCertificate } from "../../lib/testing/certificate.ts";

/** What a test's certificate is. */
export interface TestCertificate {
  /** Names and addresses. @default {localhost, 127.0.0.1 and ::1} */
  hosts?: string[];
  /** Whether it was valid once only. @default {false} */
  expired?: boolean;
}

/** A certificate that signs itself, and its key, in PEM. */
export async function certificate(
  { hosts = ["localhost", "127.0.0.1", "::1"], expired = false }:
    TestCertificate = {},
): Promise<{ cert: string; key: string }> {
  const notBefore = expired ? new Date("2020-01-01") : undefined;
  return await makeCertificate({ hosts, days: 30, notBefore });
}

import type { CarrierSource } from "../../mod.ts";
import { quic } from "../../lib/carriers/quic.ts";
import { tcp } from "../../lib/carriers/tcp.ts";
import { tls } from "../../lib/carriers/tls.ts";

/** The certificate of a server with its key, or those that a client trusts. */
export interface Trust {
  cert?: string;
  key?: string;
  caCerts?: string[];
}

/** A carrier that messages are measured over. */
export interface MeasuredCarrier {
  label: string;
  scheme: string;
  /** Whether the server needs a certificate. */
  isEncrypted?: boolean;
  /** @default {the carrier that belongs to the scheme} */
  source?(trust: Trust): CarrierSource;
  /** The options by which the programs use it. @default {none} */
  flags?: readonly string[];
}

const LENGTH = ["--framing", "length"];

/**
 * The carriers. Each is an implementation of `--only`; nothing else has to be
 * written to measure another one.
 */
export const CARRIERS = {
  udp: { label: "UDP", scheme: "udp" },
  quic: { label: "QUIC", scheme: "quic", isEncrypted: true, source: quic },
  "quic-reliable": {
    ...{ label: "QUIC, reliable", scheme: "quic", isEncrypted: true },
    source: (trust) => quic({ ...trust, reliable: true }),
  },
  tcp: {
    ...{ label: "TCP, length", scheme: "tcp", flags: LENGTH },
    source: () => tcp({ framing: "length" }),
  },
  "tcp-line": {
    ...{ label: "TCP, line", scheme: "tcp" },
    source: () => tcp({ framing: "line" }),
  },
  tls: {
    ...{ label: "TLS, length", scheme: "tls", isEncrypted: true },
    flags: LENGTH,
    source: (trust) => tls({ ...trust, framing: "length" }),
  },
} satisfies Record<string, MeasuredCarrier>;

/** The name of a carrier. */
export type CarrierName = keyof typeof CARRIERS;

import { quic } from "../lib/carriers/quic.ts";
import { certificate } from "./support/certificates.ts";
import { bothContracts } from "./support/contracts.ts";

const { cert, key } = await certificate();
const options = { cert, key, caCerts: [cert] };
const address = () => "quic://127.0.0.1:0";

// A limit below what any path carries, since a connection's own grows.
const LARGEST = 1_100;
bothContracts("quic", () => quic({ ...options, maxMessage: LARGEST }), {
  address,
  largest: LARGEST,
  ordered: false,
  lossless: false,
  sendToUnbound: "rejects",
});

bothContracts("quic reliable", () => quic({ ...options, reliable: true }), {
  address,
  largest: 65_527,
  sendToUnbound: "rejects",
});

import { offload } from "../../lib/carriers/offload.ts";
import { quic } from "../../lib/carriers/quic.ts";
import { tcp } from "../../lib/carriers/tcp.ts";
import { tls } from "../../lib/carriers/tls.ts";
import { udp } from "../../lib/carriers/udp.ts";
import { unix } from "../../lib/carriers/unix.ts";
import { webSockets } from "../../examples/websocket_carrier.ts";
import { campaign } from "../support/campaign/campaign.ts";
import { SIMULATED } from "../support/campaign/simulated.ts";
import type { Place } from "../support/campaign/world.ts";
import { certificate } from "../support/certificates.ts";

// How many random programs run over each carrier: `PLI_CAMPAIGN=500` by hand.
const RUNS = Number(Deno.env.get("PLI_CAMPAIGN") ?? 30);

const { cert, key } = await certificate();
const identity = { cert, key, caCerts: [cert] };
const folder = await Deno.makeTempDir();
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(folder, { recursive: true }),
);
let paths = 0;

const common = { answers: true, lossless: true };
const PLACES: Record<string, () => Place> = {
  ...SIMULATED,
  udp: () => ({ ...common, carrier: udp(), address: "udp://127.0.0.1:0" }),
  "udp over IPv6": () => ({
    ...common,
    carrier: udp({ family: 6 }),
    address: "udp://[::1]:0",
  }),
  offload: () => ({
    ...common,
    carrier: offload(),
    address: "udp://127.0.0.1:0",
  }),
  unix: () => ({
    ...common,
    answers: false,
    carrier: unix(),
    address: `unix:${folder}/${paths++}.sock`,
  }),
  "tcp, lines": () => ({
    ...common,
    carrier: tcp(),
    address: "tcp://127.0.0.1:0",
  }),
  "tcp, lengths": () => ({
    ...common,
    carrier: tcp({ framing: "length" }),
    address: "tcp://127.0.0.1:0",
  }),
  tls: () => ({
    ...common,
    carrier: tls(identity),
    address: "tls://127.0.0.1:0",
  }),
  quic: () => ({
    ...common,
    lossless: false,
    carrier: quic(identity),
    address: "quic://127.0.0.1:0",
  }),
  "quic reliable": () => ({
    ...common,
    carrier: quic({ ...identity, reliable: true }),
    address: "quic://127.0.0.1:0",
  }),
  WebSockets: () => ({
    ...common,
    carrier: webSockets,
    address: "tcp://127.0.0.1:0",
  }),
};

for (const [name, open] of Object.entries(PLACES)) {
  Deno.test(`${name}: ${RUNS} programs that misbehave lose nothing and hang nowhere`, () =>
    campaign(open, RUNS));
}

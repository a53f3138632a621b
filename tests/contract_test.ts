import { assertThrows } from "@std/assert";
import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { udp } from "../lib/carriers/udp.ts";
import { webSockets } from "../examples/websocket_carrier.ts";
import { carrierContract, simulateNetwork } from "../lib/testing/mod.ts";
import { certificate } from "./support/certificates.ts";
import { bothContracts, tracedContract } from "./support/contracts.ts";

bothContracts("udp", () => udp());

bothContracts("udp over IPv6", () => udp({ family: 6 }), {
  address: () => "udp://[::1]:0",
  largest: 65_527,
});

// Every Deno.DatagramConn is a carrier as it stands.
bothContracts("bare Deno.DatagramConn", () => ({
  schemes: ["udp"],
  listen: (address) =>
    Deno.listenDatagram({ ...address as Deno.NetAddr, transport: "udp" }),
  dial: () =>
    Promise.try(() =>
      Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 })
    ),
}));

let network = simulateNetwork();
bothContracts("simulated network", () => network, {
  around: (test) => {
    network = simulateNetwork();
    return network.run(test);
  },
});

let rough = simulateNetwork();
bothContracts("simulated network that fails", () => rough, {
  ordered: false,
  lossless: false,
  around: (test) => {
    rough = simulateNetwork({
      loss: 0.3,
      reorder: 0.3,
      delayMs: { min: 1, max: 20 },
    });
    return rough.run(test);
  },
});

bothContracts("tcp, lines", () => tcp(), {
  address: () => "tcp://127.0.0.1:0",
  reserved: 0x0a,
  largest: 65_535,
  sendToUnbound: "either",
});

bothContracts("tcp, lengths", () => tcp({ framing: "length" }), {
  address: () => "tcp://[::1]:0",
  largest: 65_535,
  sendToUnbound: "either",
});

bothContracts("tcp, octet counting", () => tcp({ framing: "octet" }), {
  address: () => "tcp://127.0.0.1:0",
  largest: 65_535,
  sendToUnbound: "either",
});

bothContracts("tcp, NUL", () => tcp({ framing: "nul" }), {
  address: () => "tcp://127.0.0.1:0",
  reserved: 0x00,
  largest: 65_535,
  sendToUnbound: "either",
});

let pair = { cert: "", key: "" };
bothContracts("tls", () => tls({ ...pair, caCerts: [pair.cert] }), {
  address: () => "tls://127.0.0.1:0",
  reserved: 0x0a,
  largest: 65_535,
  sendToUnbound: "either",
  around: async (test) => {
    if (pair.cert === "") pair = await certificate();
    await test();
  },
});

tracedContract("WebSockets", () => webSockets, {
  address: () => "tcp://127.0.0.1:0",
  sendToUnbound: "either",
});

Deno.test("a contract that can register no tests is rejected", () => {
  assertThrows(
    () => carrierContract("x", () => udp(), { test: {} as () => void }),
    TypeError,
    "Cannot register tests: test must be a function",
  );
});

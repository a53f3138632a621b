import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { udp } from "../lib/carriers/udp.ts";
import { webSockets } from "../examples/websocket_carrier.ts";
import { certificate } from "./support/certificates.ts";
import { bothContracts, tracedContract } from "./support/contracts.ts";

// The carriers over Deno's own functions.

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

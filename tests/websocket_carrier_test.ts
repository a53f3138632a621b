import { webSockets } from "../examples/websocket_carrier.ts";
import { carrierContract } from "../lib/testing/mod.ts";

carrierContract("WebSockets", () => webSockets, {
  address: () => "tcp://127.0.0.1:0",
  sendToUnbound: "either",
});

/** Node's dgram module, which can carry every message. */
import { EMPTY, MESSAGES } from "./support/exchanges.ts";
import { testsWhere } from "./support/peers.ts";
import { testSockets } from "./support/sockets.ts";

const test = await testsWhere(
  // If there is no Node, Deno may run under its name.
  `node -e 'process.exit("deno" in process.versions ? 1 : 0)'`,
  "nodejs",
);

testSockets(test, {
  command: "node",
  extension: "mjs",
  send: "Node's dgram send",
  receive: "Node's dgram message event",
  answer: "Node's dgram send",
}, [EMPTY, ...MESSAGES]);

/** Node's dgram module: it can all. */
import { EMPTY, MESSAGES } from "./support/exchanges.ts";
import { testsWhere } from "./support/peers.ts";
import { testSockets } from "./support/sockets.ts";

const test = await testsWhere(
  // Deno puts itself into Node's place where there is none.
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

/** Python's socket module, which can carry every message. */
import { EMPTY, MESSAGES } from "./support/exchanges.ts";
import { testsWhere } from "./support/peers.ts";
import { testSockets } from "./support/sockets.ts";

const test = await testsWhere("command -v python3", "python3");

testSockets(test, {
  command: "python3",
  extension: "py",
  send: "Python's send",
  receive: "Python's recvfrom",
  answer: "Python's sendto",
}, [EMPTY, ...MESSAGES]);

/**
 * PHP's stream functions. fwrite cannot send an empty message, and before PHP 7.4
 * it split messages of more than 8,192 bytes.
 */
import { EMPTY, MESSAGES } from "./support/exchanges.ts";
import { testsWhere } from "./support/peers.ts";
import { testSockets } from "./support/sockets.ts";

const test = await testsWhere("command -v php", "php-cli");
const php = {
  command: "php",
  extension: "php",
  receive: "PHP's stream_socket_recvfrom",
  answer: "PHP's stream_socket_sendto",
};

testSockets(test, { ...php, send: "PHP's fwrite" }, MESSAGES);
testSockets(test, { ...php, send: "PHP's stream_socket_sendto" }, [EMPTY]);

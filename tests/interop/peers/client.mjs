// Sends its standard input as one message to a port on 127.0.0.1; with --wait
// it writes the reply to standard output.
import dgram from "node:dgram";
import process from "node:process";
import { buffer } from "node:stream/consumers";

const TIMEOUT_MS = 10_000;

const message = await buffer(process.stdin);
const client = dgram.createSocket("udp4");

client.send(message, Number(process.argv[2]), "127.0.0.1", (error) => {
  if (error) throw error;
  if (!process.argv.includes("--wait")) return client.close();
  const timer = setTimeout(() => {
    throw new Error("no reply");
  }, TIMEOUT_MS);
  client.once("message", (reply) => {
    clearTimeout(timer);
    process.stdout.write(reply);
    client.close();
  });
});

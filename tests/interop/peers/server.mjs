// Receives one message and writes it to standard output; with --echo it also
// sends it back.
import dgram from "node:dgram";
import process from "node:process";

const server = dgram.createSocket("udp4");

server.once("message", (message, peer) => {
  process.stdout.write(message);
  if (!process.argv.includes("--echo")) return server.close();
  server.send(message, peer.port, peer.address, (error) => {
    if (error) throw error;
    server.close();
  });
});

server.bind(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.error(`listening on udp://${address}:${port}`);
});

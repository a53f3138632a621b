// Makes a socket by each form of import of `node:dgram`, inside a run, and prints
// whether it is on the network: JavaScript that Deno, Node and Bun run.
import dgram from "node:dgram";
import * as all from "node:dgram";
import { createSocket, Socket } from "node:dgram";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const required = require("node:dgram");
const short = require("dgram");
const { createSocket: taken } = require("node:dgram");

// Not a literal: on Node and Bun it comes from the package.
const { simulateNetwork } = await import(process.argv[2]);

const forms = {
  "default": () => dgram.createSocket("udp4"),
  "default, new Socket": () => new dgram.Socket("udp4"),
  "named": () => createSocket("udp4"),
  "named, new Socket": () => new Socket("udp4"),
  "namespace": () => all.createSocket("udp4"),
  "require": () => required.createSocket("udp4"),
  "require, without node:": () => short.createSocket("udp4"),
  "require, new Socket": () => new required.Socket("udp4"),
  "require, taken before": () => taken("udp4"),
};
for (const [form, make] of Object.entries(forms)) {
  const network = simulateNetwork();
  await network.run(async () => {
    const socket = make();
    await new Promise((done) => socket.bind(0, "127.0.0.1", done));
    const { port } = socket.address();
    await network.real(() =>
      new Promise((sent) => socket.send("x", port, "127.0.0.1", sent))
    );
    await new Promise((done) => socket.close(done));
  }, { dgram: true });
  console.log(`${form}: ${network.stats.sent > 0 ? "network" : "real"}`);
}

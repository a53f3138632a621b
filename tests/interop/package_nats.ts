/** The package publishes to NATS on each runtime. */
import { assertEquals } from "@std/assert";
import { Broker } from "./support/brokers.ts";
import { testsWhere } from "./support/peers.ts";
import { BUN, NODE, show } from "./support/runtimes.ts";
import { texts } from "./support/sinks.ts";
import { nodeProject, peers } from "./support/tarball.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

/** Receives two messages, and publishes them. */
const PUBLISH = `
import { bind, connect } from "@pli/datagram";
import { collect } from "@pli/datagram/collect";
import { nats } from "@pli/datagram/nats";
await using socket = bind("udp://127.0.0.1:0");
const sink = nats(process.argv[2]);
const collector = collect(socket, { sinks: [sink], count: 2 });
await using client = await connect(socket.addr);
await client.send(process.argv[3]);
await client.send("un message !");
await collector.finished;
console.log(sink.stats.published, "published");`;

test("on Node and Bun received messages are published to NATS", async () => {
  await using folder = await nodeProject(
    { "publish.mjs": PUBLISH },
    ...await peers(),
  );
  await using broker = await Broker.start();
  for (const [name, runtime] of Object.entries({ NODE, BUN })) {
    const url = `nats://${broker.host}/pli`;
    const args = ["publish.mjs", url, `Bonjour ${name}`];
    const { code, text } = await show(folder.path, runtime, ...args);
    assertEquals([text.split("\n").at(-2), code], ["2 published", 0], text);
  }
  assertEquals(texts(await broker.read("PLI")), [
    ...["Bonjour NODE", "un message !"],
    ...["Bonjour BUN", "un message !"],
  ]);
});

// Publishes messages of 100 bytes to a broker. Prints the rate and the CPU time.
//
//   nats_publisher.ts raw|memory|backlog URL SECONDS
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import { Datagram } from "../../lib/datagram.ts";
import type { CheckpointedLog, Message } from "../../lib/sink.ts";
import { nats, type NatsSink, parseNatsUrl } from "../../lib/sinks/nats.ts";
import { at, SIZE } from "../lib/datagrams.ts";
import { endAfter, measure } from "../peers/meter.mjs";

const IN_FLIGHT = 512;
const WAITING = 5000;
const [subject, url = "", seconds] = Deno.args;
const datagram = new Datagram<Deno.Addr>(new Uint8Array(SIZE), at(40_000));
let last = 0;

function message(time = new Date()): Message {
  return { id: ++last, time, datagram };
}

function messages(count: number): Message[] {
  const time = new Date();
  return Array.from({ length: count }, () => message(time));
}

/** Publishes messages like those of the sink, with the NATS client alone. */
async function publishRaw(): Promise<() => number> {
  const { hostname, port, subject } = parseNatsUrl(url);
  const connection = await connect({
    servers: `${hostname}:${port}`,
    noAsyncTraces: true,
  });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: "RAW", subjects: [subject] });
  const client = jetstream(connection);
  let done = 0;
  const lane = async () => {
    for (;;) {
      const { id, time, datagram: { data } } = message();
      const fields = headers();
      fields.set("Pli-From", "udp://127.0.0.1:40000");
      fields.set("Pli-Time", time.toISOString());
      fields.set("Pli-Size", `${data.length}`);
      await client.publish(subject, data, {
        msgID: `raw-${id}`,
        headers: fields,
      });
      done++;
    }
  };
  for (let i = 0; i < IN_FLIGHT; i++) lane();
  return () => done;
}

/** An endless log of messages, each made on request. */
class Endless implements CheckpointedLog {
  readonly identity = crypto.randomUUID();
  readonly lastId = 2 ** 40;
  after(id: number, limit: number): Message[] {
    last = id;
    return messages(limit);
  }
  checkpoint = (): number => 0;
  saveCheckpoint(): void {}
}

function publishThrough(sink: NatsSink): () => number {
  return () => sink.stats.published;
}

/** Keeps the queue of the sink filled. */
function publishFromMemory(): () => number {
  const sink = nats(url);
  setInterval(() => sink.write(messages(WAITING - sink.stats.waiting)), 10);
  return publishThrough(sink);
}

const count = subject === "raw"
  ? await publishRaw()
  : subject === "memory"
  ? publishFromMemory()
  : publishThrough(nats(url, { log: new Endless() }));
endAfter(Number(seconds) + 20);
console.log(JSON.stringify(await measure(count, Number(seconds))));
Deno.exit(0);

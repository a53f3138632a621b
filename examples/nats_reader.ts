// Reads the messages that servers published to a stream of NATS, from the first
// one on, and continues with new ones. It prints one line per message:
//
//   deno run --allow-net=127.0.0.1:4222 examples/nats_reader.ts nats://127.0.0.1:4222/pli
//
// A number after the URL limits how many messages it reads.

import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { escapeControls } from "@pli/datagram";
import { parseNatsUrl } from "@pli/datagram/nats";

const [url = "", limit = "Infinity"] = Deno.args;
const { hostname, port, tls, credentials, subject } = parseNatsUrl(url);
await using connection = await connect({
  servers: `${hostname}:${port}`,
  ...tls ? { tls: {} } : {},
  ...credentials,
  // The permission is for the host as it was given.
  resolve: false,
});
const client = jetstream(connection);
const manager = await client.jetstreamManager();
const stream = await manager.streams.find(subject);

// An ordered consumer: it returns messages in the stream's order without gaps,
// and resumes by itself. To share the work among readers, use a durable consumer.
const consumer = await client.consumers.get(stream, {
  filter_subjects: subject,
});
let count = 0;
if (Number(limit) > 0) {
  for await (const { data, headers, seq } of await consumer.consume()) {
    const field = (name: string) => headers?.get(name) ?? "";
    const size = `${data.length} ${data.length === 1 ? "byte" : "bytes"}`;
    const fields = [
      seq,
      field("Pli-Time"),
      field("Pli-From"),
      field("Pli-Truncated") === "true" ? `${size}, truncated` : size,
      new TextDecoder().decode(data),
    ];
    console.log(escapeControls(fields.join("  ")));
    if (++count >= Number(limit)) break;
  }
}

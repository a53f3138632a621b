// Publishes a backlog of messages: URL, its ID, how many, the file of its mark.
import { nats } from "../../../lib/sinks/nats.ts";
import { FileBacklog } from "./backlogs.ts";

const [url, id, count, path] = Deno.args;
const backlog = new FileBacklog(id, Number(count), path);
await using sink = nats(url, { backlog, flushTimeoutMs: 30_000 });
await sink.flush();

// Publishes a backlog of messages: URL, its ID, how many, the file of its mark;
// and how many must be published before it kills itself.
import { nats } from "../../../lib/sinks/nats.ts";
import { FileBacklog } from "./backlogs.ts";

const [url, id, count, path, most = Infinity] = Deno.args;
const backlog = new FileBacklog(id, Number(count), path);
await using sink = nats(url, { backlog, flushTimeoutMs: 30_000 });
using _ = every(1, () => {
  if (sink.stats.published > Number(most)) Deno.kill(Deno.pid, "SIGKILL");
});
await sink.flush();

function every(ms: number, call: () => void): Disposable {
  const timer = setInterval(call, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

// Publishes a log. Arguments: the URL, the log's identity, the number of its
// messages, the file of its checkpoint, and the number of published messages
// after which it kills itself.
import { nats } from "../../../lib/sinks/nats.ts";
import { FileLog } from "./logs.ts";

const [url = "", identity = "", count, path = "", most = Infinity] = Deno.args;
const log = new FileLog(identity, Number(count), path);
await using sink = nats(url, { log, flushTimeoutMs: 30_000 });
using _ = every(1, () => {
  if (sink.stats.published > Number(most)) Deno.kill(Deno.pid, "SIGKILL");
});
await sink.flush();

function every(ms: number, call: () => void): Disposable {
  const timer = setInterval(call, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

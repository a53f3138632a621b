// Ends when nothing is left to wait for, and prints how many events the last wait
// of a thread returned.
//
//   offload_end.ts close|unref|timeout
import { bind } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

let last = -1;
const thread = Promise.withResolvers<void>();
const { dlopen } = Deno;
// A thread that nobody wakes sleeps for a minute instead of a second.
Deno.dlopen = ((...args: Parameters<typeof dlopen>) => {
  const library = dlopen(...args);
  // deno-lint-ignore no-explicit-any
  const symbols: any = { ...library.symbols };
  const { epoll_wait_in_thread: wait } = symbols;
  symbols.epoll_wait_in_thread = async (...words: unknown[]) => {
    const waited = wait(...words.slice(0, 3), 60_000);
    thread.resolve();
    return last = await waited;
  };
  return { ...library, symbols, close: () => library.close() };
}) as typeof dlopen;

const socket = bind("udp://127.0.0.1:0", { carrier: offload() });
const other = bind("udp://127.0.0.1:0", { carrier: offload() });
const [what] = Deno.args;
const timeoutMs = what === "timeout" ? 50 : undefined;
for (const waiting of [socket, other]) {
  waiting.receive({ timeoutMs }).catch(() => {});
}
await thread.promise;
for (const waiting of [socket, other]) {
  if (what === "close") waiting.close();
  if (what === "unref") waiting.unref();
}
addEventListener("unload", () => console.log(last));

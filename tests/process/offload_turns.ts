// No loop runs long without a turn of the event loop.
import { assert, assertEquals } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { LOOPBACK } from "../support/helpers.ts";
import { run } from "./support/programs.ts";

// A handler takes 0.2 ms, so 100 datagrams fit between two ticks of 20 ms. Without
// turns there were up to 16,384, or a full buffer of some 5,000. A slow machine
// handles fewer.
const MOST = 2000;
// A turn is due after 2 ms, in which some thousands are sent.
const MOST_SENT = 100_000;

for (const how of ["serve", "iterate", "batches", "reuse", "receive"]) {
  Deno.test(`timers fire while a slow receiver is flooded: ${how}`, async () => {
    const script = "tests/process/support/offload_slow_handler.ts";
    const { code, stdout, stderr } = await run(script, [how], {
      flags: ["--allow-net=127.0.0.1", "--allow-ffi", "--allow-run"],
    });
    assertEquals([code, stderr], [0, ""]);
    assert(JSON.parse(stdout).most < MOST, stdout);
  });
}

Deno.test("timers fire while many sockets are flooded and send in turn", async () => {
  await using stack = new AsyncDisposableStack();
  const carrier = offload();
  let ticks = 0;
  let sent = 0;
  let running = true;
  const loops = [];
  for (let n = 0; n < 20; n++) {
    const socket = stack.use(bind(LOOPBACK, { carrier }));
    const client = stack.use(await connect(socket.addr, { carrier }));
    const messages = Array(64).fill(new Uint8Array(50));
    loops.push((async () => {
      while (running) {
        const count = await client.sendMany(messages);
        sent += count;
      }
    })());
    (async () => {
      for await (const _ of socket.batches());
    })();
  }
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (++ticks < 20) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  running = false;
  await Promise.all(loops);
  assert(sent / ticks < MOST_SENT, `${sent / ticks} between two ticks`);
});

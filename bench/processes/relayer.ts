// Forwards datagrams between a client and a server. Prints its port, then the
// rate in each direction and the CPU time.
//
//   relayer.ts bare|relay|delayed PORT SECONDS
import { startRelay } from "../../lib/testing/mod.ts";
import { at, portOf, rawSocket } from "../lib/datagrams.ts";
import { endAfter, measure } from "../peers/meter.mjs";

const [subject, to, seconds] = Deno.args;
const server = at(Number(to));
endAfter(Number(seconds) + 20);

const counts = subject === "bare" ? bare() : relay();
const [up, down, both] = await Promise.all([
  measure(() => counts().up, Number(seconds)),
  measure(() => counts().down, Number(seconds)),
  measure(() => counts().up + counts().down, Number(seconds)),
]);
console.log(JSON.stringify({
  up: up.perSecond,
  down: down.perSecond,
  cpuMicros: both.cpuMicros,
}));
Deno.exit(0);

/** Forwards with the relay of the library. */
function relay() {
  const delayMs = { min: 1, max: 1 };
  const relay = startRelay({
    listen: at(0),
    to: server,
    ...(subject === "delayed" ? { delayMs } : {}),
  });
  console.log(portOf(relay));
  return () => {
    const { up, down } = relay.stats;
    return { up: up.forwarded, down: down.forwarded };
  };
}

/** Forwards for one client with two sockets, and nothing more. */
function bare() {
  const [front, upstream] = [rawSocket(), rawSocket()];
  console.log(portOf(front));
  const counts = { up: 0, down: 0 };
  let client: Deno.Addr;
  const forward = async (
    direction: "up" | "down",
    from: Deno.DatagramConn,
    send: (data: Uint8Array, sender: Deno.Addr) => Promise<number>,
  ) => {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const [data, sender] = await from.receive(buffer);
      await send(data, sender);
      counts[direction]++;
    }
  };
  forward("up", front, (data, sender) => {
    client = sender;
    return upstream.send(data, server);
  });
  forward("down", upstream, (data) => front.send(data, client));
  return () => counts;
}

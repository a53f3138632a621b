import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import {
  bind,
  connect,
  type ConnectedSocket,
  formatAddress,
  serve,
  type SocketStats,
} from "../mod.ts";
import { type SimulatedNetwork, simulateNetwork } from "../lib/testing/mod.ts";

const SEEDS = 2000;
const CLIENTS = 2;
const REQUESTS = 4;
const SERVER = "udp://10.0.0.1:7";

function faultyNetwork(seed: number): SimulatedNetwork {
  return simulateNetwork({
    seed,
    loss: 0.3,
    duplicate: 0.1,
    reorder: 0.2,
    corrupt: 0.01,
    delayMs: { min: 1, max: 30 },
  });
}

/** A flipped bit does not turn one question into another. */
function question(client: number, n: number): string {
  const name = `client ${client}, question ${n}`;
  return `${name}, ${createHash("md5").update(name).digest("hex")}`;
}

interface Outcome {
  replies: number;
  timeouts: number;
}

/** Runs clients that ask an echo server one question after another. */
async function converse(network: SimulatedNetwork): Promise<Outcome> {
  await using server = serve(SERVER, ({ data }) => data, { carrier: network });
  await using clients = new AsyncDisposableStack();
  const outcome = { replies: 0, timeouts: 0 };
  const ask = async (client: number) => {
    const socket: ConnectedSocket = clients.use(
      await connect(server.addr, {
        carrier: network.host(`10.0.1.${client}`),
      }),
    );
    for (let n = 0; n < REQUESTS; n++) {
      const text = question(client, n);
      try {
        const reply = await socket.request(text, {
          timeoutMs: 40,
          retries: 3,
          match: (datagram) => datagram.text() === text,
        });
        assertEquals(reply.text(), text);
        outcome.replies++;
      } catch (error) {
        if (!(error instanceof Deno.errors.TimedOut)) throw error;
        outcome.timeouts++;
      }
    }
    return socket;
  };
  const sockets = await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) => ask(client)),
  );
  await Promise.all(sockets.map(drain));
  checkSums(network, [server, ...sockets]);
  return outcome;
}

/** Reads until no more datagrams arrive. */
async function drain(socket: ConnectedSocket): Promise<void> {
  try {
    for (;;) await socket.receive({ timeoutMs: 1000 });
  } catch (error) {
    assert(error instanceof Deno.errors.TimedOut);
  }
}

/** Checks that the sockets received exactly what the network delivered. */
function checkSums(
  { stats, trace }: SimulatedNetwork,
  ends: { addr: Deno.NetAddr; stats: SocketStats }[],
): void {
  const { sent, duplicated, corrupted, reordered, ruled, ...fates } = stats;
  assertEquals(sent + duplicated, sum(fates));
  const marked = (mark: "corrupted" | "reordered" | "ruled") =>
    trace.filter((entry) => entry[mark] && entry.fate === "delivered").length;
  assertEquals([corrupted, reordered, ruled], [
    marked("corrupted"),
    marked("reordered"),
    marked("ruled"),
  ]);
  assertEquals(
    [fates.inFlight, ruled, trace.length],
    [0, 0, sent + duplicated],
  );
  assertEquals(sent, sum(ends.map(({ stats }) => stats.sent)));
  for (const { addr, stats } of ends) {
    const delivered = trace.filter(({ to, fate }) =>
      to === formatAddress(addr) && fate === "delivered"
    );
    const { received, waiting, dropped } = stats;
    assertEquals([waiting, sum(dropped)], [0, 0]);
    assertEquals(received, delivered.length);
  }
}

function sum(numbers: object): number {
  return Object.values(numbers).reduce((sum, n) => sum + n, 0);
}

function hashOf({ trace }: SimulatedNetwork): string {
  const hash = createHash("sha256");
  for (const { data, ...entry } of trace) {
    hash.update(JSON.stringify(entry)).update(data);
  }
  return hash.digest("hex");
}

Deno.test(`each request ends in its own reply or TimedOut, over ${SEEDS} faulty networks`, async () => {
  let replies = 0;
  let timeouts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const network = faultyNetwork(seed);
    const outcome = await network.run(() => converse(network));
    assertEquals(outcome.replies + outcome.timeouts, CLIENTS * REQUESTS);
    replies += outcome.replies;
    timeouts += outcome.timeouts;
  }
  // Both happen: the networks had faults, but not only faults.
  assert(replies > timeouts && timeouts > 0, `${replies}, ${timeouts}`);
});

Deno.test("the same seed gives the same trace, another seed a different one", async () => {
  const run = async (seed: number) => {
    const network = faultyNetwork(seed);
    await network.run(() => converse(network));
    return hashOf(network);
  };
  for (const seed of [1, 2, 3, 1999]) {
    assertEquals(await run(seed), await run(seed));
  }
  assert(await run(1) !== await run(2));
});

Deno.test("an hour of virtual time is over quickly, and each time-out takes its time", async () => {
  const network = simulateNetwork({ loss: 0.5, delayMs: { min: 5, max: 50 } });
  await network.run(async () => {
    await using socket = bind(SERVER, { carrier: network });
    await using client = await connect(socket.addr, { carrier: network });
    let received = 0;
    while (network.clock.now() < 3_600_000) {
      await client.send("tick");
      try {
        await socket.receive({ timeoutMs: 1000 });
        received++;
      } catch (error) {
        assert(error instanceof Deno.errors.TimedOut);
      }
    }
    assertEquals(received, network.stats.delivered);
    assertEquals(network.stats.lost + received, client.stats.sent);
    assert(network.stats.lost > 3000 && received > 3000);
  });
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Backoff, bind, connect } from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { clockedClient } from "./support/fakes.ts";
import { isPending, turn } from "./support/helpers.ts";

/** Requests until it is given up. Returns the waits after each send. */
async function waitsOf(
  backoff: Backoff | undefined,
  retries: number,
  random?: () => number,
): Promise<number[]> {
  const { clock, carrier, socket } = clockedClient();
  if (random !== undefined) Object.assign(carrier, { random });
  const moments: number[] = [];
  carrier.onSend = (data) => {
    moments.push(clock.now());
    return Promise.resolve(data.length);
  };
  let end: number | undefined;
  const request = socket.request("x", { timeoutMs: 100, retries, backoff })
    .catch(() => end = clock.now());
  while (end === undefined) {
    clock.advance(1);
    await turn();
  }
  await request;
  socket.close();
  return [...moments.slice(1), end].map((at, i) =>
    Math.round(at - moments[i]!)
  );
}

Deno.test("without backoff all waits are equal", async () => {
  assertEquals(await waitsOf(undefined, 3), [100, 100, 100, 100]);
});

Deno.test("with backoff each wait is longer by the factor, as far as maxMs", async () => {
  const backoff = { factor: 2, jitter: 0, maxMs: 350 };
  assertEquals(await waitsOf(backoff, 4), [100, 200, 350, 350, 350]);
  assertEquals(await waitsOf({ factor: 1.5, jitter: 0 }, 2), [100, 150, 225]);
});

Deno.test("jitter lengthens each wait by a part that the carrier's chance decides", async () => {
  const half = () => 0.5;
  assertEquals(await waitsOf({ jitter: 0.5 }, 2, half), [125, 250, 500]);
  assertEquals(await waitsOf({}, 1, () => 0), [100, 200]);
  const backoff = { factor: 1, jitter: 1 };
  const drawn = [0, 0.25, 0.75];
  assertEquals(
    await waitsOf(backoff, 2, () => drawn.shift() ?? 0),
    [100, 125, 175],
  );
});

Deno.test("whatever the carrier's chance returns or throws, a wait stays in its range", async () => {
  const chances: (() => number)[] = [
    () => NaN,
    () => -5,
    () => 7,
    () => "x" as unknown as number,
    () => {
      throw new Error("no chance");
    },
  ];
  for (const chance of chances) {
    const [first = 0] = await waitsOf({ jitter: 0.5 }, 0, chance);
    assert(first >= 100 && first <= 151, `${first}`);
  }
});

Deno.test("a request with backoff says how long it waited in all", async () => {
  const { clock, socket } = clockedClient();
  const backoff = { factor: 2, jitter: 0 };
  const request = socket.request("x", { timeoutMs: 100, retries: 2, backoff });
  for (const ms of [100, 200, 400]) {
    assertEquals(await isPending(request), true);
    clock.advance(ms);
  }
  await assertRejects(
    () => request,
    Deno.errors.TimedOut,
    "no reply within 700 ms in all, sent 3 times",
  );
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("no wait is longer than a timer can be", async () => {
  const { clock, socket } = clockedClient();
  const timeoutMs = 2 ** 31 - 1;
  const backoff = { factor: 100, jitter: 100 };
  const request = socket.request("x", { timeoutMs, retries: 1, backoff });
  clock.advance(timeoutMs);
  clock.advance(timeoutMs);
  await assertRejects(() => request, Deno.errors.TimedOut, "2 times");
  socket.close();
});

/** Returns when each of many hosts that start together sends. */
async function moments(backoff?: Backoff): Promise<number[][]> {
  const network = simulateNetwork({ seed: 5 });
  return await network.run(async () => {
    await using server = bind("udp://10.0.0.1:53", { carrier: network });
    const heard = new Map<string, number[]>();
    const listening = (async () => {
      for await (const { from } of server) {
        const list = heard.get(from.hostname) ?? [];
        heard.set(from.hostname, [...list, network.clock.now()]);
      }
    })();
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const carrier = network.host(`10.0.1.${i + 1}`);
        await using client = await connect(server.addr, { carrier });
        const options = { timeoutMs: 1000, retries: 4, backoff };
        await client.request("up again", options).catch(() => {});
      }),
    );
    server.close();
    await listening;
    return [...heard.values()];
  });
}

Deno.test("hosts that start together send again at 50 different moments each time", async () => {
  const apart = await moments({ factor: 2, jitter: 0.5 });
  assertEquals(apart.length, 50);
  for (let send = 1; send < 5; send++) {
    assertEquals(new Set(apart.map((list) => list[send])).size, 50);
  }
  // Without it all send at once.
  const together = await moments();
  for (let send = 0; send < 5; send++) {
    assertEquals(new Set(together.map((list) => list[send])).size, 1);
  }
});

Deno.test("the same seed gives the same moments", async () => {
  const backoff = { factor: 2, jitter: 0.5 };
  assertEquals(await moments(backoff), await moments(backoff));
});

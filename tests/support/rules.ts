/** What the tests of rules share. */
import { assert, assertEquals } from "@std/assert";
import { type SimulatedNetwork, withSockets } from "../../lib/testing/mod.ts";

/** Sends numbers, and returns those that arrived, with their times. */
export async function pass(
  network: SimulatedNetwork,
  count: number,
): Promise<[string, number][]> {
  const came: [string, number][] = [];
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 1; n <= count; n++) await client.send(`${n}`);
      for (;;) {
        const datagram = await socket.receive({ timeoutMs: 10_000 })
          .catch(() => undefined);
        if (datagram === undefined) return;
        came.push([datagram.text(), network.clock.now()]);
      }
    }, { carrier: network })
  );
  return came;
}

export async function texts(
  network: SimulatedNetwork,
  count: number,
): Promise<string> {
  return (await pass(network, count)).map(([text]) => text).join(" ");
}

/** Every datagram, and every copy, had one fate. */
export function assertAddsUp({ stats, trace }: SimulatedNetwork): void {
  const { sent, duplicated, corrupted, reordered, ruled, ...fates } = stats;
  const sum = Object.values(fates).reduce((a, b) => a + b);
  assertEquals(sum, sent + duplicated, JSON.stringify(stats));
  assert(Math.max(corrupted, reordered, ruled) <= stats.delivered);
  const delivered = trace.filter(({ fate }) => fate === "delivered");
  assertEquals(delivered.filter(({ ruled }) => ruled).length, ruled);
  const dropped = trace.filter(({ fate }) => fate === "dropped");
  assertEquals(dropped.length, stats.dropped);
  assert(dropped.every(({ ruled }) => ruled));
}

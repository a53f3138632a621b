/** Requests, gathers and receivers of any mix: each datagram once, sums exact. */
import { assert, assertEquals } from "@std/assert";
import type { Datagram } from "../mod.ts";
import { fakeBound, FakeClock } from "./support/fakes.ts";
import { net, random, turn } from "./support/helpers.ts";

const PEERS = [1, 2, 3].map((port) => net("10.0.0.1", port));

/** Takes 200 random steps, and checks the sums. */
async function campaign(seed: number): Promise<void> {
  const below = random(seed);
  const clock = new FakeClock();
  const { carrier, socket } = fakeBound({ clock });
  const got: string[] = [];
  const all: Promise<unknown>[] = [];
  const aborts: AbortController[] = [];
  const keep = (datagram: Datagram) => void got.push(datagram.text());
  const start = (promise: Promise<unknown>) => {
    all.push(promise.catch(() => {}));
  };
  const idOf = (datagram: Datagram) => Number(datagram.text().at(-1));
  const peer = () => PEERS[below(PEERS.length)]!;
  const signal = () => {
    const controller = new AbortController();
    aborts.push(controller);
    return controller.signal;
  };
  // Now and then a match does something else, too.
  const match = (modulus: number) => (datagram: Datagram) => {
    datagram.data.fill(0, 0, 1);
    if (below(40) === 0) aborts[below(aborts.length)]?.abort("by a match");
    if (below(40) === 0) throw new Error("thrown by a match");
    if (below(40) === 0) STEPS[below(4)]!();
    return idOf(datagram) % modulus === 0;
  };
  const gather = async (isLeftEarly: boolean) => {
    const replies = socket.gather("?", below(2) ? PEERS : peer(), {
      forMs: below(50),
      ...below(2) ? { unique: "peer" } : {},
      ...below(2) ? { match: match(2) } : {},
      ...below(2) ? { resendMs: 1 + below(20) } : {},
      signal: signal(),
    });
    for await (const reply of replies) {
      keep(reply);
      if (below(3) === 0) await turn();
      if (isLeftEarly) break;
    }
  };
  const STEPS: (() => void)[] = [
    () => {
      const options = { signal: signal(), timeoutMs: below(50), retries: 1 };
      start(socket.request("?", peer(), options).then(keep));
    },
    () => {
      const id = below(10);
      const options = { id, idOf, signal: signal(), timeoutMs: below(50) };
      start(socket.request("?", peer(), options).then(keep));
    },
    () => {
      const options = { match: match(3), signal: signal(), backoff: {} };
      start(socket.request("?", peer(), options).then(keep));
    },
    () => start(socket.receive({ timeoutMs: below(50) }).then(keep)),
    () => start(gather(below(2) === 0)),
    () => clock.advance(below(20)),
    () => aborts[below(aborts.length)]?.abort("enough"),
  ];
  let arrived = 0;
  for (let i = 0; i < 200; i++) {
    if (below(2) === 0) carrier.deliver(`${i}-${++arrived}`, peer());
    else STEPS[below(STEPS.length)]!();
    if (below(4) === 0) await turn();
  }
  for (let i = 0; i < 50; i++) await turn();
  const isClosedEarly = below(2) === 0;
  if (!isClosedEarly) {
    while (clock.timers > 0) {
      clock.advance(1000);
      await turn();
    }
  }
  const { waiting } = socket.stats;
  socket.close();
  await Promise.allSettled(all);
  await turn();
  assertEquals(clock.timers, 0);
  const { received, dropped } = socket.stats;
  assertEquals(got.length, received);
  assertEquals(new Set(got).size, got.length);
  assertEquals(received + dropped["closed"]!, carrier.delivered);
  assert(dropped["closed"]! >= waiting);
}

Deno.test("any mix of requests, gathers, receives and aborts gets each datagram once", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    await campaign(seed).catch((error) => {
      throw new Error(`seed ${seed}: ${error}`, { cause: error });
    });
  }
});

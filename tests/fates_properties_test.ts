/** Whatever the faults, rules and crashes: every datagram has one fate. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bind, type DatagramSocket } from "../mod.ts";
import {
  type Faults,
  type Rule,
  type SimulatedNetwork,
  simulateNetwork,
  startRelay,
} from "../lib/testing/mod.ts";
import { LOOPBACK, until } from "./support/helpers.ts";
import { assertAddsUp, collector } from "./support/relays.ts";

const probability = fc.oneof(
  fc.constantFrom(0, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const ms = fc.integer({ min: 0, max: 30 });
const delayMs: fc.Arbitrary<Faults["delayMs"]> = fc.oneof(
  ms.map((max) => ({ min: 0, max })),
  fc.record({ mean: ms, deviation: ms }),
  fc.array(fc.record({ ms, weight: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
);
const faults: fc.Arbitrary<Faults> = fc.record({
  loss: probability,
  duplicate: probability,
  duplicateAgain: probability,
  burst: fc.record({ enter: probability, leave: probability }),
  reorder: probability,
  corrupt: probability,
  delayMs,
  mtu: fc.integer({ min: 1, max: 40 }),
  bandwidth: fc.integer({ min: 10_000, max: 10_000_000 }),
  queue: fc.integer({ min: 1, max: 9 }),
}, { requiredKeys: [] });

const verdict: fc.Arbitrary<ReturnType<Rule> | "throw"> = fc.oneof(
  fc.constantFrom("drop", "duplicate", undefined, "throw"),
  fc.record({ delayMs: ms }),
  fc.uint8Array({ maxLength: 50 }).map((data) => ({ data })),
);
/** A rule that decides by turns. */
const rule: fc.Arbitrary<Rule> = fc.array(verdict, {
  minLength: 1,
  maxLength: 6,
}).map((verdicts): Rule => (_, n) => {
  const verdict = verdicts[n % verdicts.length];
  if (verdict === "throw") throw new Error("a rule throws");
  return verdict as ReturnType<Rule>;
});

const HOSTS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const host = fc.constantFrom(...HOSTS);

/** What happens on a network, step by step. */
type Step =
  | { send: number; from: string; to: string }
  | { wait: number }
  | { crash: string }
  | { restart: string }
  | { part: string; and: string }
  | { heal: true }
  | { set: Faults }
  | { rule: Rule; from: string };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ send: fc.nat(50), from: host, to: host }),
  },
  { weight: 2, arbitrary: fc.record({ wait: ms }) },
  fc.record({ crash: host }),
  { weight: 2, arbitrary: fc.record({ restart: host }) },
  fc.record({ part: host, and: host }),
  fc.record({ heal: fc.constant(true as const) }),
  fc.record({ set: faults }),
  fc.record({ rule, from: host }),
);

/** A host's program: after each crash it starts again. */
class Program {
  readonly received = { before: 0 };
  socket: DatagramSocket | undefined;
  #running: Promise<void> = Promise.resolve();

  start(network: SimulatedNetwork, name: string): void {
    const carrier = network.host(name);
    if (!carrier.isUp) return;
    const socket = bind(`udp://${name}:9`, { carrier });
    this.socket = socket;
    this.#running = (async () => {
      for await (const _ of socket) this.received.before++;
    })();
  }

  async stop(): Promise<void> {
    await this.socket?.[Symbol.asyncDispose]();
    this.socket = undefined;
    await this.#running;
  }
}

/** Lets the steps happen. @returns How many sends were refused. */
async function happen(
  network: SimulatedNetwork,
  steps: readonly Step[],
): Promise<{ sent: number; received: number }> {
  const programs = new Map(HOSTS.map((name) => [name, new Program()]));
  for (const [name, program] of programs) program.start(network, name);
  let sent = 0;
  const wait = (ms: number) =>
    new Promise<void>((go) => void network.clock.after(ms, go));
  for (const step of steps) {
    if ("send" in step) {
      const { socket } = programs.get(step.from)!;
      await socket?.send(new Uint8Array(step.send), `udp://${step.to}:9`)
        .then(() => sent++, () => {});
    } else if ("wait" in step) await wait(step.wait);
    else if ("crash" in step) {
      network.host(step.crash).crash();
      await programs.get(step.crash)!.stop();
    } else if ("restart" in step) {
      const isUp = network.host(step.restart).isUp;
      network.host(step.restart).restart();
      if (!isUp) programs.get(step.restart)!.start(network, step.restart);
    } else if ("part" in step) network.partition(step.part, step.and);
    else if ("heal" in step) network.heal();
    else if ("set" in step) network.set(step.set);
    else network.rule(step.rule, { from: step.from });
  }
  await wait(1e7);
  let received = 0;
  for (const program of programs.values()) {
    await program.stop();
    received += program.received.before;
  }
  return { sent, received };
}

Deno.test("sums add up and runs repeat, with any mix of faults, rules, partitions and crashes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      faults,
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (seed, faults, steps) => {
        const networks = [1, 2].map(() => simulateNetwork({ seed, ...faults }));
        for (const network of networks) {
          const { sent, received } = await network.run(() =>
            happen(network, steps)
          );
          const { stats, trace } = network;
          const { duplicated, corrupted, reordered, ruled, ...fates } = stats;
          const { sent: carried, ...all } = fates;
          const sum = Object.values(all).reduce((a, b) => a + b);
          assertEquals(sum, carried + duplicated, JSON.stringify(stats));
          assertEquals([carried, stats.inFlight], [sent, 0]);
          assertEquals(trace.length, sum);
          assertEquals(received, stats.delivered);
          assert(Math.max(corrupted, reordered, ruled) <= stats.delivered);
          for (const fate of ["dropped", "crashed", "unreachable"] as const) {
            const listed = trace.filter((entry) => entry.fate === fate).length;
            assertEquals(listed, stats[fate]);
          }
        }
        const [first, second] = networks;
        assertEquals(first?.trace, second?.trace);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("a relay's ledger equals what its peers count, with any mix of faults and rules", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      faults.map(({ bandwidth: _, ...others }) => others),
      fc.array(rule, { maxLength: 3 }),
      fc.array(fc.nat(50), { minLength: 1, maxLength: 40 }),
      async (seed, faults, rules, sizes) => {
        await using server = collector();
        const errors: unknown[] = [];
        await using relay = startRelay({
          ...{ listen: LOOPBACK, to: server.addr, seed, ...faults },
          onError: (error) => errors.push(error),
        });
        for (const rule of rules) relay.rule(rule, "up");
        await using client = bind(LOOPBACK);
        for (const size of sizes) {
          await client.send(new Uint8Array(size), relay.addr);
        }
        await until(() => {
          const { up } = relay.stats;
          assertAddsUp(up);
          return up.received === sizes.length && up.inFlight === 0 &&
            up.forwarded === server.arrived.length;
        });
        const { up, down } = relay.stats;
        assertEquals([up.notSent, down.received], [0, 0]);
        assert(
          errors.every((error) => (error as Error).message === "a rule throws"),
        );
      },
    ),
    { numRuns: 60 },
  );
});

/**
 * A relay with faults that knows what became of the datagrams of one size, in a
 * process of its own. Usage: `faulty_path.ts TO SEED SIZE UP DOWN`, the faults as
 * JSON. Prints its port, and when standard input ends, what happened as JSON.
 */
import { startRelay } from "../../../lib/testing/mod.ts";
import { reorderingOf } from "../../support/path_truth.ts";

const [to = "", seed = "", size = "", up = "{}", down = "{}"] = Deno.args;

/** One direction, as it was: whatever its datagrams are. */
class Way {
  // The datagrams, by their bytes, in the order in which they came.
  readonly #numbers = new Map<string, number>();
  readonly #arrivals: number[] = [];
  readonly #heldMs: number[] = [];

  came(data: Uint8Array): void {
    const key = keyOf(data);
    if (!this.#numbers.has(key)) this.#numbers.set(key, this.#numbers.size);
  }

  left(data: Uint8Array, heldMs: number | undefined): void {
    this.#arrivals.push(this.#numbers.get(keyOf(data))!);
    if (heldMs !== undefined) this.#heldMs.push(heldMs);
  }

  get truth() {
    const reached = new Set(this.#arrivals);
    const held = this.#heldMs.toSorted((a, b) => a - b);
    return {
      sent: this.#numbers.size,
      reached: Array.from(reached, (number) => number),
      duplicates: this.#arrivals.length - reached.size,
      reordering: reorderingOf(this.#arrivals),
      heldMs: {
        p50: held[Math.floor(held.length / 2)] ?? 0,
        p99: held[Math.floor(held.length * 0.99)] ?? 0,
      },
    };
  }
}

function keyOf(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

const ways = { up: new Way(), down: new Way() };
await using relay = startRelay({
  listen: "udp://127.0.0.1:0",
  to,
  seed: Number(seed),
  onFate: ({ direction, data, fate, heldMs, reordered }) => {
    if (fate !== "forwarded" || data.length !== Number(size)) return;
    ways[direction].left(data, reordered ? undefined : heldMs);
  },
});
relay.set(JSON.parse(up), "up");
relay.set(JSON.parse(down), "down");
for (const way of ["up", "down"] as const) {
  relay.rule(({ data }) => {
    if (data.length === Number(size)) ways[way].came(data);
  }, way);
}
console.log(relay.addr.port);
for await (const _ of Deno.stdin.readable);
const kernelDrops = await relay.kernelDrops();
console.log(JSON.stringify({
  up: ways.up.truth,
  down: ways.down.truth,
  ledger: relay.stats,
  kernelDrops,
}));

import { simulateNetwork } from "../../../lib/testing/mod.ts";
import type { Place } from "./world.ts";

let seeds = 0;

/** Simulated networks, each of a seed of its own. */
export const SIMULATED: Readonly<Record<string, () => Place>> = {
  "simulated network": () => ({
    carrier: simulateNetwork({ seed: ++seeds, delayMs: { min: 0, max: 3 } }),
    address: "udp://127.0.0.1:0",
    answers: true,
    lossless: true,
  }),
  "simulated network that loses and reorders": () => ({
    carrier: simulateNetwork({
      seed: ++seeds,
      loss: 0.2,
      reorder: 0.2,
      delayMs: { min: 0, max: 5 },
    }),
    address: "udp://127.0.0.1:0",
    answers: true,
    lossless: false,
  }),
};

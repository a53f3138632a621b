/** A server that faults strike, from seeds: its books balance. */
import { inParallel } from "./support/commands.ts";
import { campaign } from "./support/faults/campaign.ts";

// How many seeds: `PLI_CAMPAIGN=300` by hand. `PLI_SEED=17` runs one alone.
const RUNS = Number(Deno.env.get("PLI_CAMPAIGN") ?? 20);
const SEED = Deno.env.get("PLI_SEED");
const SEEDS = SEED === undefined
  ? Array.from({ length: RUNS }, (_, i) => i + 1)
  : [Number(SEED)];

Deno.test(`server that faults strike: in ${SEEDS.length} runs its books balance`, () =>
  inParallel(SEEDS, (seed) => campaign(seed, {})));

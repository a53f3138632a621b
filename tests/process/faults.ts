/** A server that faults strike, from seeds: see `support/faults/seeds.ts`. */
import { campaign } from "./support/faults/campaign.ts";
import { FAULTS } from "./support/faults/faults.ts";
import { testSeeds } from "./support/faults/seeds.ts";

testSeeds(
  "server that faults strike has books that balance",
  30,
  (seed) => campaign(seed, FAULTS),
);

import { campaign } from "./support/campaign/campaign.ts";
import { SIMULATED } from "./support/campaign/simulated.ts";

// By hand more: see tests/process/campaign.ts.
const RUNS = 500;

for (const [name, open] of Object.entries(SIMULATED)) {
  Deno.test(`${name}: ${RUNS} programs that misbehave lose nothing and hang nowhere`, () =>
    campaign(open, RUNS));
}

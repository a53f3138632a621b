// Sends datagrams of mixed lengths through `sendRun` and `runs`, over the offload
// carrier. In a controlled flow every byte is compared, and nothing may be
// dropped; in an uncontrolled one, what arrives and what is missing must be what
// was sent. Exit code 1 if it is not so.
//
//   deno run --allow-net=127.0.0.1 --allow-ffi bench/run_soak.ts [COUNT]
import { controlledRuns, uncontrolledRuns } from "./lib/run_soak.ts";

const count = Number(Deno.args[0] ?? 50_000_000);
if (!Number.isSafeInteger(count) || count < 1 || count > 1e9) {
  const given = JSON.stringify(Deno.args[0]);
  console.error(
    `COUNT must be a whole number from 1 to 1000000000: given ${given}`,
  );
  Deno.exit(1);
}
const flows = {
  controlled: () => controlledRuns(count, false),
  "controlled, reuse": () => controlledRuns(count, true),
  uncontrolled: () => uncontrolledRuns(count),
};
let isExact = true;
for (const [name, flow] of Object.entries(flows)) {
  const start = performance.now();
  const ledger = await flow();
  const { sent, received, missing, kernelDrops } = ledger;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${JSON.stringify(ledger)} in ${seconds} s`);
  isExact &&= received + missing === sent &&
    (name === "uncontrolled" || kernelDrops === 0);
}
console.log(isExact ? "the sums are exact" : "the sums are NOT exact");
Deno.exit(isExact ? 0 : 1);

// Sends numbered datagrams of many lengths through the offload carrier, in both
// directions at once, and checks every byte. Prints how many arrived and how many
// were dropped. Exit code 1 if the sums are not exact.
//
//   deno run --allow-net=127.0.0.1 --allow-ffi bench/soak.ts [COUNT]
import { soak } from "./lib/soak.ts";

const count = Number(Deno.args[0] ?? 50_000_000);
if (!Number.isSafeInteger(count) || count < 2 || count > 1e9) {
  console.error(
    `COUNT must be a whole number from 2 to 1000000000: given ${
      JSON.stringify(Deno.args[0])
    }`,
  );
  Deno.exit(1);
}
const start = performance.now();
const ledgers = await soak(count);
console.table(ledgers);
const seconds = (performance.now() - start) / 1000;
console.log(
  `${
    (count / seconds / 1e6).toFixed(2)
  } million per second, checked, in one process`,
);
const exact = ledgers.every(({ sent, received, lost, lostRuns, kernelDrops }) =>
  sent === received + lost && lostRuns === kernelDrops
);
console.log(exact ? "the sums are exact" : "the sums are NOT exact");
Deno.exit(exact ? 0 : 1);

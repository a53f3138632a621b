// Prints a digest of the traces of each package, the names and how many seeds
// given: one line per package.
import { createHash } from "node:crypto";
import process from "node:process";
import { trial } from "./trial.mjs";

const [seeds, ...names] = process.argv.slice(2);
for (const name of names) {
  const hash = createHash("sha256");
  for (let seed = 1; seed <= Number(seeds); seed++) {
    const { complaints, network } = await trial(name, seed);
    hash.update(JSON.stringify([complaints, network.trace.length]));
    for (const { time, from, to, fate, data } of network.trace) {
      hash.update(`${time} ${from} ${to} ${fate} `).update(data);
    }
  }
  console.log(name, hash.digest("hex"));
}

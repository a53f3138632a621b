// Waits ten virtual hours by each form of import of Node's timers, and prints
// which forms have virtual time: JavaScript that Deno, Node and Bun run.
import defaults from "node:timers";
import * as all from "node:timers";
import { setTimeout as named } from "node:timers";
import defaultPromises from "node:timers/promises";
import * as allPromises from "node:timers/promises";
import { setTimeout as namedPromise } from "node:timers/promises";
import { createRequire } from "node:module";
import defaultCrypto from "node:crypto";
import {
  randomBytes,
  randomFillSync,
  randomInt,
  randomUUID,
} from "node:crypto";

const require = createRequire(import.meta.url);
const required = require("node:timers");
const { setTimeout: taken } = require("node:timers");
const requiredPromises = require("node:timers/promises");
const requiredCrypto = require("node:crypto");

// Not a literal: on Node and Bun it comes from the package.
const { simulateNetwork } = await import(process.argv[2]);
const TEN_HOURS = 36_000_000;

/** Whether a wait of ten hours ends before one that is known to be virtual. */
function isVirtual(wait) {
  return simulateNetwork().run(() =>
    Promise.race([
      wait(TEN_HOURS).then(() => true),
      new Promise((end) => setTimeout(end, TEN_HOURS + 1, false).unref()),
    ])
  );
}

const calledBack = (set) => (ms) =>
  new Promise((done) => set(done, ms).unref());
const forms = {
  "global": calledBack((...args) => setTimeout(...args)),
  "default": calledBack((...args) => defaults.setTimeout(...args)),
  "named": calledBack((...args) => named(...args)),
  "namespace": calledBack((...args) => all.setTimeout(...args)),
  "require": calledBack((...args) => required.setTimeout(...args)),
  "require, taken before": calledBack(taken),
  "promises default": (ms) => defaultPromises.setTimeout(ms, 0, { ref: false }),
  "promises named": (ms) => namedPromise(ms, 0, { ref: false }),
  "promises namespace": (ms) => allPromises.setTimeout(ms, 0, { ref: false }),
  "promises require": (ms) =>
    requiredPromises.setTimeout(ms, 0, { ref: false }),
};
for (const [form, wait] of Object.entries(forms)) {
  console.log(`${form}: ${await isVirtual(wait) ? "virtual" : "real"}`);
}

/** Whether a draw follows from the seed. */
async function isSeeded(draw) {
  const [a, b] = [
    await simulateNetwork().run(draw),
    await simulateNetwork().run(draw),
  ];
  return a === b ? "seeded" : "real";
}
const draws = {
  "global": () => crypto.randomUUID(),
  "default": () => defaultCrypto.randomBytes(8).toString("hex"),
  "named randomBytes": () => randomBytes(8).toString("hex"),
  "named randomUUID": () => randomUUID(),
  "named randomInt": () => randomInt(2 ** 40),
  "named randomFillSync": () => randomFillSync(Buffer.alloc(8)).toString("hex"),
  "require": () => requiredCrypto.randomBytes(8).toString("hex"),
};
for (const [form, draw] of Object.entries(draws)) {
  console.log(`crypto ${form}: ${await isSeeded(draw)}`);
}

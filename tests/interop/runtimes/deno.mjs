// What the in-process tests use of Deno, on Node and on Bun. It is imported into
// each of them: the library must not see it, so there is no global `Deno`.
import { inspect } from "node:util";
import { errors } from "../../../lib/errors.ts";

const { test: register } = await import(
  globalThis.Bun === undefined ? "node:test" : "bun:test"
);

// As long as a test waits for what never comes.
const TIMEOUT_MS = 60_000;

/**
 * Registers a test.
 *
 * @param {string | { name: string, fn: () => unknown }} first
 * @param {() => unknown} [second]
 */
function test(first, second) {
  const [name, run] = typeof first === "string"
    ? [first, second]
    : [first.name, first.fn];
  // Both runners would pass a callback to a function with a parameter.
  const whole = async () => void await run();
  if (globalThis.Bun !== undefined) register(name, whole, TIMEOUT_MS);
  else register(name, { timeout: TIMEOUT_MS }, whole);
}

// The default of `carrierContract`.
globalThis.test = test;

export const Deno = { test, errors, inspect, args: [] };

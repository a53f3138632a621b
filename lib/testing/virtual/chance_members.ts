import { findBuiltin } from "../../runtime.ts";
import { type Fn, globalMember } from "./builtins.ts";
import type { Chance } from "./chance.ts";
import type { Patches } from "./patches.ts";
import { type Instead, replaceAll } from "./world.ts";

type InsteadOfChance = Instead<Chance>;

/** Replaces the random numbers of the platform. */
export function replaceChance(patches: Patches): void {
  const crypto = findBuiltin("node:crypto");
  const randomFill: InsteadOfChance = (_, native, args) =>
    typeof args.at(-1) === "function"
      ? answered(args, crypto?.["randomFillSync"] as Fn)
      : native(...args);
  const replace = (
    owner: unknown,
    members: Readonly<Record<string, InsteadOfChance>>,
  ) =>
    replaceAll(
      patches,
      "chance",
      owner,
      Object.fromEntries(
        Object.entries(members).map(([name, draw]) => [name, drawnOnce(draw)]),
      ),
    );
  replace(Math, { random: (chance) => chance.random() });
  replace(globalMember("crypto"), {
    getRandomValues: filled,
    randomUUID: (chance) => chance.uuid(),
  });
  replace(crypto, {
    getRandomValues: filled,
    randomFillSync: filled,
    randomFill,
    randomBytes,
    pseudoRandomBytes: randomBytes,
    prng: randomBytes,
    rng: randomBytes,
    randomInt,
    randomUUID: (chance, native, args) => {
      native(...args);
      return chance.uuid();
    },
  });
}

// Whether a function of the platform runs, which may draw by others of them: on
// Deno `randomBytes` does so by `getRandomValues`.
let isNative = false;

/** Draws nothing more for what the platform's function draws meanwhile. */
function drawnOnce(draw: InsteadOfChance): InsteadOfChance {
  return (chance, native, args) => {
    if (isNative) return native(...args);
    const alone: Fn = (...args) => {
      isNative = true;
      try {
        return native(...args);
      } finally {
        isNative = false;
      }
    };
    return draw(chance, alone, args);
  };
}

// Each calls the platform's function first, which checks the arguments.

const filled: InsteadOfChance = (chance, native, args) => {
  native(...args);
  const [memory, from = 0, length] = args as [
    ArrayBufferView | ArrayBuffer,
    number?,
    number?,
  ];
  chance.fill(memory, from, length);
  return memory;
};

const randomBytes: InsteadOfChance = (chance, native, args) =>
  answered(args, (...args) => {
    const bytes = native(...args);
    chance.fill(bytes as Uint8Array);
    return bytes;
  });

const randomInt: InsteadOfChance = (chance, native, args) =>
  answered(args, (...range) => {
    native(...range);
    const [min, max] = range[1] === undefined ? [0, range[0]] : range;
    const size = Number(max) - Number(min);
    return Number(min) + Math.floor(chance.random() * size);
  });

/**
 * Makes a value for a function of Node's that returns it, or hands it to the
 * callback that is its last argument.
 */
function answered(args: unknown[], make: Fn): unknown {
  const callback = args.at(-1);
  if (typeof callback !== "function") return make(...args);
  const value = make(...args.slice(0, -1));
  queueMicrotask(() => callback(null, value));
  return undefined;
}

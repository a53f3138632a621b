import { cannot } from "../../errors.ts";
import { type Platform, usePlatform } from "../../platform.ts";
import { findBuiltin, globals } from "../../runtime.ts";
import { type Fn, isObject } from "./builtins.ts";
import { replaceChance } from "./chance_members.ts";
import { replaceDates } from "./date_members.ts";
import { replaceJobs } from "./job_members.ts";
import { replaceMeasures } from "./measure_members.ts";
import { replaceDgram } from "./dgram_members.ts";
import { replaceHosts } from "./host_members.ts";
import { Patches } from "./patches.ts";
import { replaceTimers } from "./timer_members.ts";
import { hasWorld, isSwitched, setWorld, type World } from "./world.ts";

const ACTION = "run a program in virtual time";
const TIMERS = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "Date",
] as const;

// As they are when this module is loaded: later ones may be anybody's.
const own = Object.fromEntries(
  TIMERS.map((name) => [name, globalThis[name]]),
) as unknown as Platform;
const ownNow = performance.now;
const platform: Platform = {
  ...own,
  Date: { now: Date.now },
  performance: { now: () => Reflect.apply(ownNow, performance, []) },
};

/**
 * Replaces the platform's time and chance by a run's.
 *
 * @returns Puts everything back.
 * @throws {Error} Another run, or another library, has replaced them.
 */
export function install(world: World): () => void {
  const { time, chance, dgram } = world;
  if (!time && !chance && !dgram) return () => {};
  if (hasWorld()) {
    throw new Error(cannot(
      ACTION,
      "another run is in progress in this thread: await it first, or give " +
        `both { timers: "real", random: "real" }`,
    ));
  }
  if (time !== undefined) requireOwn();
  const patches = new Patches();
  const uninstall = () => {
    setWorld(undefined);
    usePlatform(undefined);
    time?.end();
    patches.restore();
    syncModules();
  };
  try {
    setWorld(world);
    if (time !== undefined) {
      usePlatform(platform);
      replaceTimers(patches);
      replaceDates(patches);
      replaceMeasures(patches);
      replaceJobs(patches);
    }
    if (chance !== undefined) replaceChance(patches);
    if (dgram !== undefined) {
      replaceDgram(patches);
      replaceHosts(patches);
    }
    syncModules();
  } catch (error) {
    uninstall();
    throw error;
  }
  return uninstall;
}

/** Checks that nobody else has replaced the timers. */
function requireOwn(): void {
  const replaced: string[] = TIMERS.filter((name) => {
    const now = globalThis[name] as unknown;
    // @sinonjs/fake-timers, and what is built on it, marks its own.
    const isMarked = isObject(now) && ("clock" in now || "isFake" in now);
    return isMarked || now !== own[name] && !isSwitched(now);
  });
  const { now } = performance;
  if (now !== ownNow && !isSwitched(now)) replaced.push("performance.now");
  if (replaced.length === 0) return;
  const [be, them] = replaced.length > 1 ? ["are", "them"] : ["is", "it"];
  throw new Error(cannot(
    ACTION,
    `${replaced.join(", ")} of the platform ${be} replaced already, as by ` +
      `another library's fake timers: put ${them} back first, or give ` +
      `{ timers: "real" }`,
  ));
}

/** Lets named imports of Node's modules follow; only Node has such a function. */
function syncModules(): void {
  const sync = findBuiltin("node:module")?.["syncBuiltinESMExports"] as
    | Fn
    | undefined;
  if (globals.Deno === undefined) sync?.();
}

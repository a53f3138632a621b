import type { DgramModule } from "../../dgram/types.ts";
import { findBuiltin } from "../../runtime.ts";
import { type Fn, ownerOf } from "./builtins.ts";
import type { Chance } from "./chance.ts";
import type { Patches } from "./patches.ts";
import type { VirtualTime } from "./time.ts";

/** What the platform's functions are replaced by in a run. */
export interface World {
  /** `undefined` if the time is real. */
  readonly time: VirtualTime | undefined;
  /** `undefined` if chance is real. */
  readonly chance: Chance | undefined;
  /** `undefined` if the sockets of `node:dgram` are real. */
  readonly dgram?: DgramModule | undefined;
  /** The hosts that programs look up; absent if they are real. */
  readonly hosts?: HostNames | undefined;
}

/** The hosts of a simulated network, as programs ask for them. */
export interface HostNames {
  /** Returns the address of a name; `undefined` if the network has no such host. */
  addressOf(name: string, family: 4 | 6): string | undefined;
  /** Returns the address of the host on which the program runs. */
  current(): string;
}

/** The member of a function that `util.promisify` returns. */
export const PROMISIFY: unique symbol = Symbol.for(
  "nodejs.util.promisify.custom",
);

interface Storage {
  run<T>(store: true | undefined, callback: () => T): T;
  getStore(): true | undefined;
}

// One per thread, as the globals that it replaces.
let active: World | undefined;
let reality: Storage | undefined;
const switches = new WeakMap<Fn, Fn>();
const switched = new WeakSet<Fn>();

/** The world that replaces the platform now, for whoever calls this. */
export function currentWorld(): World | undefined {
  return reality?.getStore() ? undefined : active;
}

/** Whether a run has replaced anything. */
export function hasWorld(): boolean {
  return active !== undefined;
}

/** Sets the world; `undefined` for the platform. */
export function setWorld(world: World | undefined): void {
  active = world;
}

/** Calls a function for which, until what it returns settles, nothing is replaced. */
export function inReality<T>(callback: () => T): T {
  reality ??= makeStorage();
  return reality === undefined ? callback() : reality.run(true, callback);
}

/**
 * Calls a program for which everything is replaced. On Deno an `import()` leaves
 * its context to whatever the event loop calls later, such as the next test.
 */
export function inWorld<T>(program: () => T): T {
  return reality === undefined ? program() : reality.run(undefined, program);
}

function makeStorage(): Storage | undefined {
  const Storage = findBuiltin("node:async_hooks")?.["AsyncLocalStorage"] as
    | (new () => Storage)
    | undefined;
  return Storage && new Storage();
}

/**
 * What is done instead of a function of the platform: it gets a part of the world,
 * that function, and the arguments.
 */
export type Instead<Part> = (
  part: Part,
  native: Fn,
  args: unknown[],
) => unknown;

/**
 * Returns a function that does what the platform's does, and something else while
 * a run has replaced that part of the world. It is the same one in each run: a
 * module that has kept it is right in all of them, and outside.
 */
export function switchBy<Name extends keyof World>(
  part: Name,
  native: unknown,
  instead: Instead<NonNullable<World[Name]>>,
): unknown {
  if (typeof native !== "function" || isSwitched(native)) return native;
  const before = native as Fn;
  const made = switches.get(before);
  if (made !== undefined) return made;
  // A method: no constructor, as most of the platform's functions.
  const { after } = {
    after(this: unknown, ...args: unknown[]): unknown {
      const now = currentWorld()?.[part];
      if (now === undefined) return Reflect.apply(before, this, args);
      const call = (...args: unknown[]) => Reflect.apply(before, this, args);
      return instead(now as NonNullable<World[Name]>, call as Fn, args);
    },
  };
  return keepSwitch(before, after as Fn);
}

/** Replaces members of an object, each where it is defined. */
export function replaceAll<Name extends keyof World>(
  patches: Patches,
  part: Name,
  object: unknown,
  members: Readonly<Record<string, Instead<NonNullable<World[Name]>>>>,
): void {
  for (const [name, instead] of Object.entries(members)) {
    patches.replace(
      ownerOf(object, name),
      name,
      (native) => switchBy(part, native, instead),
    );
  }
}

/**
 * Remembers what a function of the platform is replaced by, and gives it the
 * members of that function. What `util.promisify` makes of it is left to the
 * caller, as it would be the platform's own.
 */
export function keepSwitch(before: Fn, after: Fn): Fn {
  for (const name of Reflect.ownKeys(before)) {
    const own = Object.getOwnPropertyDescriptor(after, name);
    if (name === PROMISIFY || own?.configurable === false) continue;
    const member = Object.getOwnPropertyDescriptor(before, name)!;
    Object.defineProperty(after, name, member);
  }
  switches.set(before, after);
  switched.add(after);
  return after;
}

/** Returns what replaces a function of the platform, if anything has yet. */
export function switchOf(before: Fn): Fn | undefined {
  return switches.get(before);
}

/** Whether a function is one that replaces the platform's. */
export function isSwitched(value: unknown): boolean {
  return typeof value === "function" && switched.has(value as Fn);
}

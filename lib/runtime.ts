import { errors } from "./errors.ts";

/** The parts of `globalThis` that tell the runtimes apart. */
interface Globals {
  readonly Deno?: { readonly version: { readonly deno: string } };
  readonly Bun?: {
    readonly version: string;
    peek<T>(promise: Promise<T>): T | Promise<T>;
    udpSocket(options: object): Promise<BunSocket>;
  };
  readonly process?: {
    readonly version: string;
    readonly platform: string;
    exitCode?: number;
    getBuiltinModule?(name: string): unknown;
  };
}

/** A socket of `Bun.udpSocket`. */
export interface BunSocket {
  readonly address: { readonly address: string; readonly port: number };
  close(): void;
}

/** The runtimes' own globals, none of which has to be there. */
export const globals: Globals = globalThis as Globals;

/** Returns the name and the version of the runtime, such as "Node 24.9.0". */
export function runtimeName(): string {
  const { Deno, Bun, process } = globals;
  if (Deno !== undefined) return `Deno ${Deno.version.deno}`;
  if (Bun !== undefined) return `Bun ${Bun.version}`;
  return process === undefined
    ? "a runtime without Deno, Bun or process"
    : `Node ${process.version.slice(1)}`;
}

/**
 * Checks that the program runs on Deno.
 *
 * @param what What only Deno has, as the beginning of the sentence.
 * @param instead What would do.
 * @throws {Deno.errors.NotSupported} It does not.
 */
export function requireDeno(
  what: string,
  instead = "run the program with Deno",
): void {
  if (globals.Deno !== undefined) return;
  throw new errors.NotSupported(
    `${what} needs Deno, and this is ${runtimeName()}: ${instead}`,
  );
}

/**
 * Returns a module that is built in, at once, past every import map, and loads it
 * only now.
 *
 * @param name With `node:`.
 * @returns `undefined` if the runtime has none, as a browser.
 */
export function findBuiltin<T = Record<PropertyKey, unknown>>(
  name: string,
): T | undefined {
  try {
    return globals.process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    // Some of Deno's need the global Deno, which a program may have removed.
    return undefined;
  }
}

/**
 * As {@linkcode findBuiltin}, for what cannot do without it.
 *
 * @throws {Deno.errors.NotSupported} The runtime has none.
 */
export function builtin<T>(name: string): T {
  const module = findBuiltin<T>(name);
  if (module !== undefined) return module;
  throw new errors.NotSupported(`${runtimeName()} has no ${name}`);
}

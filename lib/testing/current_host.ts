import { findBuiltin } from "../runtime.ts";

interface Storage {
  run<T>(hostname: string | undefined, program: () => T): T;
  getStore(): string | undefined;
}

let storage: Storage | undefined;

/** Calls a program that runs on a host, with whatever it begins. */
export function runOnHost<T>(hostname: string, program: () => T): T {
  storage ??= makeStorage();
  return storage === undefined ? program() : storage.run(hostname, program);
}

/** Calls a program that runs on no host in particular. */
export function runOnNoHost<T>(program: () => T): T {
  return storage === undefined ? program() : storage.run(undefined, program);
}

/** Returns the host on which whoever calls this runs. */
export function currentHost(): string | undefined {
  return storage?.getStore();
}

function makeStorage(): Storage | undefined {
  const Storage = findBuiltin("node:async_hooks")?.["AsyncLocalStorage"] as
    | (new () => Storage)
    | undefined;
  return Storage && new Storage();
}

import { findBuiltin } from "../runtime.ts";

interface Storage {
  run<T>(hostname: string, program: () => T): T;
  getStore(): string | undefined;
}

let storage: Storage | undefined;

/** Calls a program that runs on a host, with whatever it begins. */
export function runOnHost<T>(hostname: string, program: () => T): T {
  storage ??= makeStorage();
  return storage === undefined ? program() : storage.run(hostname, program);
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

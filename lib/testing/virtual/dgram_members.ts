import { keepRealDgram } from "../../carriers/dgram/module.ts";
import type { DgramModule } from "../../dgram/types.ts";
import { findBuiltin } from "../../runtime.ts";
import type { Fn, Members } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import {
  currentWorld,
  type Instead,
  isSwitched,
  keepSwitch,
  switchBy,
  switchOf,
} from "./world.ts";

const createSocket: Instead<DgramModule> = (module, _, args) =>
  module.createSocket(...args as Parameters<DgramModule["createSocket"]>);

/** Replaces what makes sockets of `node:dgram`. */
export function replaceDgram(patches: Patches): void {
  const dgram = findBuiltin("node:dgram");
  keepRealDgram();
  patches.replace(
    dgram,
    "createSocket",
    (native) => switchBy("dgram", native, createSocket),
  );
  patches.replace(dgram, "Socket", switchClass);
}

/** Returns a class that makes sockets of the platform, or those of a run. */
function switchClass(native: unknown): unknown {
  if (typeof native !== "function" || isSwitched(native)) return native;
  const before = native as Fn & { prototype: object };
  const made = switchOf(before);
  if (made !== undefined) return made;
  const after = function (this: unknown, ...args: unknown[]): unknown {
    const module = currentWorld()?.dgram;
    const Socket = module?.Socket ?? before;
    if (new.target === undefined) return Reflect.apply(before, this, args);
    const isOwn = module !== undefined || new.target === after;
    return Reflect.construct(Socket, args, isOwn ? Socket : new.target);
  } as Fn & Members;
  Object.defineProperty(after, "prototype", { value: before.prototype });
  const isSocket = (value: unknown) =>
    Function.prototype[Symbol.hasInstance].call(before, value) ||
    Function.prototype[Symbol.hasInstance].call(
      currentWorld()?.dgram?.Socket ?? before,
      value,
    );
  keepSwitch(before, after);
  Object.defineProperty(after, Symbol.hasInstance, { value: isSocket });
  return after;
}

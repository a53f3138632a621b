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

// Sockets of a class that extends `Socket`, made in a run, with the members that
// they have there.
const members = new WeakMap<object, object>();

/**
 * Returns a class that makes sockets of the platform, or those of a run. Classes
 * that extend it do so as well.
 */
export function switchClass(native: unknown): unknown {
  if (typeof native !== "function" || isSwitched(native)) return native;
  const before = native as Fn & { prototype: object };
  const made = switchOf(before);
  if (made !== undefined) return made;
  const after = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return Reflect.apply(before, this, args);
    const Socket = currentWorld()?.dgram?.Socket ?? before;
    if (new.target === after) return Reflect.construct(Socket, args);
    const socket = Reflect.construct(Socket, args, new.target);
    if (Socket !== before) members.set(socket, Socket.prototype);
    return socket;
  } as Fn & Members;
  const prototype = new Proxy(Object.create(before.prototype), {
    get: (own, name, socket) =>
      Reflect.get(members.get(socket) ?? own, name, socket),
  });
  Object.defineProperty(after, "prototype", { value: prototype });
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

import { printLine, reasonOf } from "../../warnings.ts";
import { isObject } from "./builtins.ts";

/** Members of objects that are replaced for a while. */
export class Patches {
  readonly #undo: (() => void)[] = [];

  /**
   * Replaces a member. One that is absent or cannot be changed stays as it is.
   *
   * @param make Returns the new value, or the old one if it is to stay.
   */
  replace(
    owner: unknown,
    name: PropertyKey,
    make: (before: unknown) => unknown,
  ): void {
    if (!isObject(owner)) return;
    const before = Object.getOwnPropertyDescriptor(owner, name);
    if (before === undefined || !before.configurable && !before.writable) {
      return;
    }
    const value = owner[name];
    const made = make(value);
    if (made === value) return;
    const { enumerable = false, configurable = false } = before;
    const writable = true;
    this.#define(
      owner,
      name,
      { value: made, enumerable, configurable, writable },
      before,
    );
  }

  /**
   * Replaces what a getter returns.
   *
   * @param make Gets the function that calls the getter before.
   */
  replaceGetter(
    owner: unknown,
    name: PropertyKey,
    make: (before: () => unknown) => () => unknown,
  ): void {
    if (!isObject(owner)) return;
    const before = Object.getOwnPropertyDescriptor(owner, name);
    if (before?.get === undefined || !before.configurable) return;
    this.#define(owner, name, { ...before, get: make(before.get) }, before);
  }

  /** Puts everything back, also what the program has replaced since. */
  restore(): void {
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch (error) {
        printLine(`Cannot put the platform's own back: ${reasonOf(error)}`);
      }
    }
  }

  #define(
    owner: object,
    name: PropertyKey,
    after: PropertyDescriptor,
    before: PropertyDescriptor,
  ): void {
    Object.defineProperty(owner, name, after);
    this.#undo.push(() => void Object.defineProperty(owner, name, before));
  }
}

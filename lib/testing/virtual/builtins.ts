/** A module or an object whose members are looked up by name. */
export type Members = Record<PropertyKey, unknown>;

/** Any function. */
export type Fn = (...args: unknown[]) => unknown;

/** Returns a global, or a member of one, by its path; `undefined` if it is absent. */
export function globalMember(...path: string[]): unknown {
  return path.reduce<unknown>(
    (object, name) => (object as Members | undefined)?.[name],
    globalThis,
  );
}

/** Returns the object in whose own members a name is found, from `object` up. */
export function ownerOf(object: unknown, name: PropertyKey): object {
  let owner = object;
  while (isObject(owner) && !Object.hasOwn(owner, name)) {
    owner = Object.getPrototypeOf(owner);
  }
  return isObject(owner) ? owner : object as object;
}

/** Whether a value can have members. */
export function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null ||
    typeof value === "function";
}

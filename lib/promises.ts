/**
 * Whether a value is a promise, or another object with a `then`, as `await`
 * takes it.
 *
 * @throws Whatever its `then` throws when it is read.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === "object" && value !== null ||
    typeof value === "function") &&
    "then" in value &&
    typeof value.then === "function";
}

/** Ignores how a promise is settled, so that no rejection is unhandled. */
export function ignoreRejection(promise: PromiseLike<unknown>): void {
  Promise.resolve(promise).catch(() => {});
}

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

/** Resolves when the promise has settled, or when the signal aborts. */
export async function beforeAbort(
  promise: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort);
  await Promise.race([promise.catch(() => {}), aborted.promise]);
  signal.removeEventListener("abort", abort);
}

/** Ignores how a promise is settled, so that no rejection is unhandled. */
export function ignoreRejection(promise: PromiseLike<unknown>): void {
  Promise.resolve(promise).catch(() => {});
}

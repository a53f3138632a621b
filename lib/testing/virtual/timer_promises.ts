import type { Timers } from "./timers.ts";

/** The options of the functions of `node:timers/promises`. */
export interface TimerOptions {
  /** Whether the program waits for the timer. @default {true} */
  readonly ref?: boolean | undefined;
  /** Ends the wait. @default {none} */
  readonly signal?: AbortSignal | undefined;
}

/** As `setTimeout` of `node:timers/promises`. */
export function sleep(
  timers: Timers,
  ms: unknown,
  value: unknown,
  options: TimerOptions = {},
): Promise<unknown> {
  return wait(options, (done) => {
    const timeout = timers.setTimeout(() => done(value), ms);
    if (options.ref === false) timeout.unref();
    return () => timeout.close();
  });
}

/** As `setImmediate` of `node:timers/promises`. */
export function nextTurn(
  timers: Timers,
  value: unknown,
  options: TimerOptions = {},
): Promise<unknown> {
  return wait(options, (done) => {
    const immediate = timers.setImmediate(() => done(value));
    if (options.ref === false) immediate.unref();
    return () => immediate[Symbol.dispose]();
  });
}

/** As `setInterval` of `node:timers/promises`. */
export async function* ticks(
  timers: Timers,
  ms: unknown,
  value: unknown,
  options: TimerOptions = {},
): AsyncGenerator<unknown> {
  const { signal, ref } = options;
  if (signal?.aborted) throw abortError(signal);
  let waiting = 0;
  let wake = () => {};
  const interval = timers.setInterval(() => {
    waiting++;
    wake();
  }, ms);
  if (ref === false) interval.unref();
  const aborted = () => wake();
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    for (;;) {
      if (signal?.aborted) throw abortError(signal);
      if (waiting === 0) await new Promise<void>((go) => wake = go);
      for (; waiting > 0; waiting--) yield value;
    }
  } finally {
    interval.close();
    signal?.removeEventListener("abort", aborted);
  }
}

/**
 * Waits for one call.
 *
 * @param begin Gets what ends the wait; returns what cancels it.
 */
function wait(
  { signal }: TimerOptions,
  begin: (done: (value: unknown) => void) => () => void,
): Promise<unknown> {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const aborted = () => {
      cancel();
      reject(abortError(signal!));
    };
    const cancel = begin((value) => {
      signal?.removeEventListener("abort", aborted);
      resolve(value);
    });
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

/** Makes the error of Node's for a wait that was aborted. */
function abortError({ reason }: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}

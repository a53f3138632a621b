import type { Socket } from "./ends.ts";

// What has not ended by then hangs, in milliseconds of real time.
const HANGS_MS = 15_000;

/** Receives everything until it is stopped. */
export function readAll(socket: Socket): { stop(): Promise<void> } {
  const datagrams = socket[Symbol.asyncIterator]();
  const reading = (async () => {
    for await (const _ of datagrams);
  })();
  return {
    async stop() {
      await datagrams.return?.();
      await reading;
    },
  };
}

/**
 * Waits until all promises are settled.
 *
 * @throws {Error} Some hang. The message names them.
 */
export async function settle(
  promises: Readonly<Record<string, Promise<unknown>>>,
): Promise<void> {
  const pending = new Set(Object.keys(promises));
  const hangs = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => hangs.reject(new Error(`Not settled: ${[...pending].join(", ")}`)),
    HANGS_MS,
  );
  try {
    const all = Object.entries(promises).map(async ([name, promise]) => {
      await promise.catch(() => {});
      pending.delete(name);
    });
    await Promise.race([Promise.all(all), hangs.promise]);
  } finally {
    clearTimeout(timer);
  }
}

import type { Ends, Socket } from "./ends.ts";

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

/** Waits until all is sent, or no more can be sent before some is received. */
export async function arrived(
  { socket, client }: Pick<Ends, "socket" | "client">,
): Promise<void> {
  for (let before = -1; client.stats.sent > before;) {
    before = client.stats.sent;
    await turn(socket);
  }
}

/** Waits until all that has arrived has been processed. */
export function turn({ clock }: Socket): Promise<void> {
  return new Promise((turned) => void clock.turn(turned));
}

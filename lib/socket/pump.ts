import type { Addr } from "../addr.ts";
import type { Clock } from "../clock.ts";
import type { DatagramSocket } from "./datagram_socket.ts";

// The pause after an error of the carrier, so that a persistent one makes no busy
// loop.
const PAUSE_MS = 10;

/**
 * Gives each datagram, or run, to `handle`, one after another, until the iteration
 * ends.
 * An error of the carrier or of `handle` is reported, and the loop goes on.
 *
 * @param handle The loop waits if it returns a promise.
 * @param report Must not throw.
 */
export async function pump<T>(
  received: AsyncIterator<T>,
  clock: Clock,
  handle: (received: T) => Promise<void> | void,
  report: (error: unknown) => void,
): Promise<void> {
  for (;;) {
    let result: IteratorResult<T>;
    try {
      result = await received.next();
    } catch (error) {
      report(error);
      await new Promise<void>((go) => void clock.after(PAUSE_MS, go));
      continue;
    }
    if (result.done) return;
    try {
      const handled = handle(result.value);
      if (handled !== undefined) await handled;
    } catch (error) {
      report(error);
    }
  }
}

/** How a server says that it listens, and is told to stop. */
export interface Serving<A extends Addr> {
  readonly onListen?: ((address: A) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until the socket is open, says so, and pumps what it receives until the
 * iteration ends or the signal aborts.
 *
 * @param received The socket's datagrams or runs.
 */
export async function serveEach<A extends Addr, T>(
  socket: DatagramSocket<A>,
  received: AsyncIterator<T>,
  { onListen, signal }: Serving<A>,
  handle: (received: T) => Promise<void> | void,
  report: (error: unknown) => void,
): Promise<void> {
  const stop = () => void received.return?.();
  await socket.opened;
  const listening: unknown = onListen?.(socket.addr);
  if (listening !== undefined) {
    Promise.try(() => listening).catch(report);
  }
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  await pump(received, socket.clock, handle, report);
  signal?.removeEventListener("abort", stop);
}

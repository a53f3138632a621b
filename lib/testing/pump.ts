import type { Addr } from "../addr.ts";
import type { BaseSocket } from "../socket/base_socket.ts";
import type { Datagram } from "../datagram.ts";
import { SocketClosedError } from "../errors.ts";

// After an error of the system, so that one that stays makes no busy loop.
const PAUSE_MS = 10;

/**
 * Hands on each datagram, one after another, until the socket is closed. An
 * error of the system is reported, and it goes on.
 */
export async function pump<A extends Addr>(
  socket: BaseSocket<A>,
  handle: (datagram: Datagram<A>) => Promise<void>,
  report: (error: unknown) => void,
): Promise<void> {
  for (;;) {
    try {
      await handle(await socket.receive());
    } catch (error) {
      if (error instanceof SocketClosedError) return;
      report(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

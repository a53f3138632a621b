import type { Addr } from "../addr.ts";
import type { CollectorStats } from "../sink.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { Received } from "../socket/stats.ts";

// What has arrived is counted for so long under a flood; more than a buffer of
// default size holds is counted however slow the machine is.
const UNREAD_MS = 200;
const UNREAD = 1000;

/** Counts what has arrived and reaches no sink any more. */
export async function receiveUnread(
  socket: DatagramSocket<Addr>,
): Promise<Received> {
  const unread = new Received();
  const until = performance.now() + UNREAD_MS;
  try {
    while (unread.received < UNREAD || performance.now() < until) {
      const datagram = await socket.tryReceive();
      if (datagram === undefined) break;
      unread.count(datagram);
    }
  } catch {
    // What cannot be received is in no count of the socket either.
  }
  return unread;
}

/** Counts as dropped at the end what reached no sink. */
export function withUnread(
  stats: CollectorStats,
  unread: Received,
): CollectorStats {
  const { received, bytes, truncated, dropped } = stats;
  return {
    ...stats,
    received: received - unread.received,
    bytes: bytes - unread.bytes,
    truncated: truncated - unread.truncated,
    dropped: { ...dropped, closed: dropped["closed"]! + unread.received },
  };
}

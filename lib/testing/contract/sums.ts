import { equal, ok } from "node:assert/strict";
import { errors, SocketClosedError } from "../../errors.ts";
import type { SocketStats } from "../../socket/stats.ts";
import type { Socket } from "./ends.ts";

// How long a datagram that must arrive may take, in milliseconds.
const PATIENCE_MS = 5000;

/** The sockets of a check. */
export interface Parties {
  readonly socket: Socket;
  readonly clients: readonly Socket[];
  /** Whether every datagram that was sent must arrive. */
  readonly isExact: boolean;
}

/**
 * Checks that the counts of both directions add up to what was sent. If a socket
 * was closed, what was on its way may be lost.
 */
export async function checkSums(
  { socket, clients, isExact }: Parties,
): Promise<void> {
  const open = await Promise.all([socket, ...clients].map(isOpen));
  const mustArrive = isExact && open.every(Boolean);
  await checkDirection(clients, [socket], mustArrive);
  await checkDirection([socket], clients, mustArrive);
}

async function checkDirection(
  senders: readonly Socket[],
  receivers: readonly Socket[],
  mustArrive: boolean,
): Promise<void> {
  const sent = sum(senders, ({ sent }) => sent);
  // A send that was given up on may still arrive.
  const called = sent + sum(senders, ({ sendFailed }) => sendFailed);
  const delivered = sum(receivers, (stats) => stats.received + stats.waiting);
  ok(delivered <= called, `${delivered} datagrams arrived of ${called}`);
  if (!mustArrive) return;
  await drain(receivers, sent);
  const arrived = sum(receivers, arrivals);
  if (called === sent) equal(arrived, sent, "datagrams that are counted");
  else ok(arrived >= sent && arrived <= called, `${arrived} of ${sent}`);
}

/** How many datagrams reached a socket. */
export function arrivals({ received, waiting, dropped }: SocketStats): number {
  return Object.values(dropped).reduce((a, b) => a + b, received + waiting);
}

/** Receives until all datagrams have arrived, or the time is over. */
async function drain(
  receivers: readonly Socket[],
  count: number,
): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  const options = { signal, timeoutMs: PATIENCE_MS };
  await Promise.all(receivers.map(async (receiver) => {
    try {
      while (sum(receivers, arrivals) < count) await receiver.receive(options);
      over.abort();
    } catch (error) {
      if (!signal.aborted && !(error instanceof errors.TimedOut)) throw error;
    }
  }));
}

async function isOpen(socket: Socket): Promise<boolean> {
  try {
    await socket.tryReceive();
  } catch (error) {
    return !(error instanceof SocketClosedError);
  }
  return true;
}

function sum(
  sockets: readonly Socket[],
  of: (stats: SocketStats) => number,
): number {
  return sockets.reduce((total, { stats }) => total + of(stats), 0);
}

import type { Throughput } from "../peers/meter.mjs";
import type { Child } from "./child.ts";
import type { Figures, Start } from "./group.ts";
import type { ImplementationName } from "./implementations.ts";

/** A program in one of its roles. */
type Peer = readonly [
  ImplementationName,
  role: string,
  /** Further arguments of a sender. */
  ...more: number[],
];

interface Listening {
  port: number;
  rss: number;
  /** The certificate that the other side has to trust, in PEM. */
  cert?: string;
}

/** What a peer counted; see `counted` of `meter.mjs`. */
type Counted = Throughput & {
  bytesEach: number;
  sumEach: number;
  hosts: number;
};

/** What else a receiver must have counted. The data is ones. */
export interface Expected {
  /** The sum of the bytes that it reads of each datagram. */
  sumEach?: number;
  /** How many hosts it tells apart, at least. */
  hosts?: number;
}

/**
 * Sends as fast as possible from one peer to another, each in a process of its
 * own, for one window of time.
 *
 * @param expected Checked after the window.
 * @param end Measures what follows the window. @default {nothing}
 */
export async function throughput(
  start: Start,
  from: Peer,
  to: Peer,
  size: number,
  seconds: number,
  expected: Expected = {},
  end?: (sender: Child, receiver: Child) => Promise<Figures>,
): Promise<Figures> {
  await using receiver = start(to[0], to[1], size, seconds);
  const there = await receiver.next<Listening>();
  const [name, role, ...more] = from;
  const reached = [...reach(there), ...more];
  await using sender = start(name, role, size, seconds, ...reached);
  const [sent, received] = await Promise.all([
    sender.next<Counted>(),
    receiver.next<Counted>(),
  ]);
  if (received.perSecond === 0) throw new Error("nothing was received in time");
  if (sent.perSecond === 0) throw new Error("nothing was sent in time");
  if (received.bytesEach !== size || sent.bytesEach !== size) {
    throw new Error(`the datagrams were not of ${size} bytes each`);
  }
  const { sumEach = received.sumEach, hosts = 0 } = expected;
  if (received.sumEach !== sumEach) {
    throw new Error(
      `the bytes read of each datagram did not add up to ${sumEach}`,
    );
  }
  if (received.hosts < hosts) {
    throw new Error(`datagrams came from ${received.hosts} hosts only`);
  }
  return {
    received: received.perSecond,
    sent: sent.perSecond,
    receiverMicros: received.cpuMicros,
    senderMicros: sent.cpuMicros,
    receiverCores: received.cores,
    senderCores: sent.cores,
    receiverSystem: received.systemShare,
    senderSystem: sent.systemShare,
    restBytes: there.rss,
    floodBytes: received.rss,
    senderBytes: sent.rss,
    ...await end?.(sender, receiver),
  };
}

/** Sends a datagram, waits for its echo, and repeats. */
export async function roundTrip(
  start: Start,
  implementation: ImplementationName,
  size: number,
  seconds: number,
): Promise<Figures> {
  await using echo = start(implementation, "echo", size, seconds);
  const there = reach(await echo.next<Listening>());
  await using ping = start(implementation, "ping", size, seconds, ...there);
  return await ping.next<Figures>();
}

/** The arguments by which a program reaches another one. */
function reach({ port, cert }: Listening): (string | number)[] {
  return cert === undefined ? [port] : [port, cert];
}

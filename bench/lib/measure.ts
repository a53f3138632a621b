import type { Throughput } from "../peers/meter.mjs";
import { Child, denoProgram } from "./child.ts";
import type { Peer } from "./peers.ts";

/** What one measurement gave, by name. */
export type Figures = Record<string, number>;

/** How a peer's program is run. */
export type Run = (peer: Pick<Peer, "kit" | "role">) => string[];

interface Listening {
  port: number;
  rss: number;
  /** What the other side has to trust, as PEM. */
  cert?: string;
}

type Counted = Throughput & { bytesEach: number };

/** Lets one send to another as fast as it can, each in a process of its own. */
export async function throughput(
  run: Run,
  sender: Peer,
  receiver: Peer,
  size: number,
  seconds: number,
): Promise<Figures> {
  await using to = new Child(run(receiver), size, seconds);
  const there = await to.next<Listening>();
  await using from = new Child(run(sender), size, seconds, ...reach(there));
  return await window(from, to, receiver.label, size, there);
}

/**
 * The same between sockets over one of our carriers; then what arrived in the
 * end of all that was sent, as a share, and round trips.
 */
export async function carried(
  run: Run,
  kit: Peer["kit"],
  size: number,
  seconds: number,
): Promise<Figures> {
  return {
    ...await untilTheEnd(run, kit, size, seconds),
    ...await roundTrip(run, kit, size, seconds),
  };
}

async function untilTheEnd(
  run: Run,
  kit: Peer["kit"],
  size: number,
  seconds: number,
): Promise<Figures> {
  await using to = new Child(run({ kit, role: "receive" }), size, seconds);
  const there = await to.next<Listening>();
  const send = run({ kit, role: "send" });
  await using from = new Child(send, size, seconds, ...reach(there));
  const figures = await window(from, to, kit, size, there);
  const [sent, received] = await Promise.all([
    from.next<{ total: number }>(),
    to.next<{ total: number }>(),
  ]);
  return {
    ...figures,
    bothMicros: figures.receiverMicros + figures.senderMicros,
    arrived: received.total / sent.total,
  };
}

/** What both counted in the same window of time. */
async function window(
  from: Child,
  to: Child,
  receiver: string,
  size: number,
  { rss }: Listening,
): Promise<Figures> {
  const [sent, received] = await Promise.all([
    from.next<Counted>(),
    to.next<Counted>(),
  ]);
  if (received.perSecond === 0) throw new Error("nothing was received in time");
  if (sent.perSecond === 0) throw new Error("nothing was sent in time");
  if (received.bytesEach !== size || sent.bytesEach !== size) {
    throw new Error(`${receiver} counted other bytes than were sent`);
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
    restBytes: rss,
    floodBytes: received.rss,
  };
}

/** Lets one send a datagram to its like, wait for the echo, and so on. */
export async function roundTrip(
  run: Run,
  kit: Peer["kit"],
  size: number,
  seconds: number,
): Promise<Figures> {
  await using echo = new Child(run({ kit, role: "echo" }), size, seconds);
  const there = reach(await echo.next<Listening>());
  const command = run({ kit, role: "ping" });
  await using ping = new Child(command, size, seconds, ...there);
  return await ping.next<Figures>();
}

/** What a program is told of the one that it is to reach. */
function reach({ port, cert }: Listening): (string | number)[] {
  return cert === undefined ? [port] : [port, cert];
}

/** How long it takes from the command to where it says that it listens. */
export async function startUp(run: Run, kit: Peer["kit"]): Promise<Figures> {
  const command = run({ kit, role: "receive" });
  const start = performance.now();
  await using child = new Child(command, 100, 1);
  await child.next();
  return { ms: performance.now() - start };
}

/** The same for the program `server.ts`. */
export async function serverStartUp(): Promise<Figures> {
  const start = performance.now();
  await using server = new Child(denoProgram("../server.ts"), "127.0.0.1:0");
  await server.said(/^listening on /);
  return { ms: performance.now() - start };
}

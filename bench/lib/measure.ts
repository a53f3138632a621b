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
  const { port, rss } = await to.next<Listening>();
  await using from = new Child(run(sender), size, seconds, port);
  const [sent, received] = await Promise.all([
    from.next<Counted>(),
    to.next<Counted>(),
  ]);
  if (received.perSecond === 0) throw new Error("nothing was received in time");
  if (sent.perSecond === 0) throw new Error("nothing was sent in time");
  if (received.bytesEach !== size || sent.bytesEach !== size) {
    throw new Error(`${receiver.label} counted other bytes than were sent`);
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
  const { port } = await echo.next<Listening>();
  await using ping = new Child(run({ kit, role: "ping" }), size, seconds, port);
  return await ping.next<Figures>();
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

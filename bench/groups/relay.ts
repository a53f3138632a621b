import { Child, denoProgram } from "../lib/child.ts";
import { at, portOf, rawSocket, SIZE } from "../lib/datagrams.ts";
import { column, micros, rate } from "../lib/format.ts";
import type { Figures, Group } from "../lib/group.ts";

// Sent at once, in each direction.
const BURST = 16;
const GOAL = 25_000;
const SUBJECT = "relay, relay";

/** A client and a server flood each other through a relay. */
export const relay: Group = {
  name: "relay",
  title: "Relaying in both directions at once",
  tables: [{
    rows: "relay",
    metric: "eachWay",
    columns: [
      column("slower direction/s", "eachWay", rate),
      column("to the server/s", "up", rate),
      column("to the client/s", "down", rate),
      column("CPU µs each", "cpuMicros", micros),
    ],
  }],
  targets: [
    target("to the server", "up", { atLeast: 0.7 }),
    target("to the client", "down", { atLeast: 0.7 }),
    target("CPU time", "cpuMicros", { atMost: 1.4 }),
    {
      what: "relay, slower direction/s",
      ...{ metric: "eachWay", subject: SUBJECT, atLeast: GOAL },
    },
  ],
  cases: ([
    ["bare", "raw", "two bare Deno.DatagramConn"],
    ["relay", "pli", "Pli, startRelay"],
    ["delayed", "pli", "Pli, startRelay, delay of 1 ms"],
  ] as const).map(([by, implementation, label]) => ({
    ...{ size: SIZE, label, implementation, needs: [], id: `relay, ${by}` },
    measure: (_, seconds) => measure(by, seconds),
  })),
};

function target(
  what: string,
  metric: string,
  bounds: { atLeast?: number; atMost?: number },
) {
  const ids = { subject: SUBJECT, base: "relay, bare" };
  return { what: `relay / bare sockets, ${what}`, metric, ...ids, ...bounds };
}

async function measure(by: string, seconds: number): Promise<Figures> {
  const data = new Uint8Array(SIZE);
  const [server, client] = [rawSocket(), rawSocket()];
  try {
    await using relay = new Child([
      ...denoProgram("processes/relayer.ts"),
      ...[by, portOf(server), seconds],
    ]);
    const front = at(await relay.next<number>());
    const measured = relay.next<Record<"up" | "down" | "cpuMicros", number>>();
    let isOver = false;
    const end = () => void (isOver = true);
    measured.then(end, end);
    await client.send(data, front);
    const first = await Promise.race([server.receive(), measured]);
    if (!Array.isArray(first)) throw new Error("the relay forwarded nothing");
    const [_, upstream] = first;
    while (!isOver) {
      const sends = [];
      for (let n = 0; n < BURST; n++) {
        sends.push(client.send(data, front), server.send(data, upstream));
      }
      await Promise.all(sends);
    }
    const figures = await measured;
    return { ...figures, eachWay: Math.min(figures.up, figures.down) };
  } finally {
    client.close();
    server.close();
  }
}

// What the relay costs: a client and a server send to each other by way of it,
// both faster than it forwards.
import { run } from "./lib/bench.ts";
import { Child, denoProgram } from "./lib/child.ts";
import { at, portOf, rawSocket, SIZE } from "./lib/datagrams.ts";
import { median } from "./lib/results.ts";

const GOAL = 25_000;
// Sent at a time, each way.
const BURST = 16;

type Figures = { up: number; down: number; cpuMicros: number };

const data = new Uint8Array(SIZE);
const slower: number[] = [];

await run({
  script: "relay.ts",
  about: "Relaying 100-byte datagrams, both ways at once.",
  subjects: {
    bare: "(a) two bare Deno.DatagramConn",
    relay: "(b) startRelay, no faults",
    delayed: "(c) startRelay, delay of 1 ms",
  },
  figures: { up: "up/s", down: "down/s", cpuMicros: "CPU µs each" },
  targets: [
    {
      what: "up (b)/(a)",
      figure: "up",
      subject: "relay",
      base: "bare",
      atLeast: 0.7,
    },
    {
      what: "down (b)/(a)",
      figure: "down",
      subject: "relay",
      base: "bare",
      atLeast: 0.7,
    },
    {
      what: "CPU (b)/(a)",
      figure: "cpuMicros",
      subject: "relay",
      base: "bare",
      atMost: 1.4,
    },
  ],
  async measure(subject, seconds) {
    const server = rawSocket();
    const client = rawSocket();
    await using relay = new Child(
      denoProgram("processes/relayer.ts"),
      ...[subject, portOf(server), seconds],
    );
    const front = at(await relay.next<number>());
    await client.send(data, front);
    const [_, upstream] = await server.receive();
    const measured = relay.next<Figures>();
    let done = false;
    measured.finally(() => done = true);
    while (!done) {
      const sends = [];
      for (let n = 0; n < BURST; n++) {
        sends.push(client.send(data, front));
        sends.push(server.send(data, upstream));
      }
      await Promise.all(sends);
    }
    client.close();
    server.close();
    const figures = await measured;
    if (subject === "relay") slower.push(Math.min(figures.up, figures.down));
    return figures;
  },
  note: () => {
    const rate = median(slower);
    const outcome = rate >= GOAL ? "reached" : "missed";
    return `target ${GOAL}/s each way without faults: ${outcome} (${
      Math.round(rate)
    })`;
  },
});

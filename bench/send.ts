// How fast datagrams are sent to a socket that nobody reads: the kernel drops
// what does not fit, which costs all senders the same.
import { run } from "./lib/bench.ts";
import { Child } from "./lib/child.ts";
import { portOf, rawSocket } from "./lib/datagrams.ts";
import type { Throughput } from "./lib/window.ts";

const sink = rawSocket();

await run({
  script: "send.ts",
  about: "Sending 100-byte datagrams.",
  subjects: {
    raw: "(a) conn.send(data, to)",
    bound: "(b) socket.send(data, to), bound",
    connected: "(c) socket.send(data), connected",
  },
  figures: { perSecond: "sends/s", cpuMicros: "CPU µs each" },
  targets: [
    {
      what: "rate (b)/(a)",
      figure: "perSecond",
      subject: "bound",
      base: "raw",
      atLeast: 0.9,
    },
    {
      what: "rate (c)/(a)",
      figure: "perSecond",
      subject: "connected",
      base: "raw",
      atLeast: 0.9,
    },
  ],
  async measure(subject, seconds) {
    await using sender = new Child("sender", [subject, portOf(sink), seconds]);
    return await sender.next<Throughput>();
  },
});

sink.close();

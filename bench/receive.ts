// How fast datagrams are received while more of them come than anyone can take.
import { run } from "./lib/bench.ts";
import { Child } from "./lib/child.ts";
import type { Throughput } from "./lib/window.ts";

const means = new Set<string>();

await run({
  script: "receive.ts",
  about: "Receiving 100-byte datagrams.",
  subjects: {
    raw: "(a) conn.receive(reusedBuffer)",
    iterated: "(b) for await (… of conn)",
    ours: "(c) for await (… of socket)",
  },
  figures: { perSecond: "datagrams/s", cpuMicros: "CPU µs each" },
  targets: [
    {
      what: "rate (c)/(a)",
      figure: "perSecond",
      subject: "ours",
      base: "raw",
      atLeast: 0.92,
    },
    {
      what: "CPU (c)/(a)",
      figure: "cpuMicros",
      subject: "ours",
      base: "raw",
      atMost: 1.15,
    },
    {
      what: "rate (c)/(b)",
      figure: "perSecond",
      subject: "ours",
      base: "iterated",
      atLeast: 3,
    },
  ],
  async measure(subject, seconds) {
    await using receiver = new Child("receiver", [subject, seconds]);
    const port = await receiver.next<number>();
    await using sender = new Child("flooder", [port, seconds + 10], [
      "--allow-net=127.0.0.1",
      // The whole of it: libc's place differs from system to system.
      "--allow-ffi",
    ]);
    means.add(await sender.next<string>());
    return await receiver.next<Throughput>();
  },
  note: () =>
    means.has("conn.send")
      ? "Sent by conn.send, as UDP_SEGMENT is not to be had here: the sender may be\nslower than the receivers, and then only the CPU figures compare these."
      : "Sent by UDP_SEGMENT, faster than anyone here receives.",
});

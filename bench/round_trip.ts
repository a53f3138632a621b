// How long a datagram and its echo take, one at a time, from process to process.
import { run } from "./lib/bench.ts";
import { Child } from "./lib/child.ts";

await run({
  script: "round_trip.ts",
  about: "Round trips of 100 bytes, one at a time.",
  subjects: {
    raw: "(a) Deno.DatagramConn, both ends",
    ours: "(b) our sockets, both ends",
  },
  figures: { p50: "p50 µs", p99: "p99 µs" },
  targets: [
    {
      what: "p50 (b)/(a)",
      figure: "p50",
      subject: "ours",
      base: "raw",
      atMost: 1.1,
    },
  ],
  async measure(subject, seconds) {
    await using server = new Child("echoer", [subject, seconds + 20]);
    const port = await server.next<number>();
    await using client = new Child("pinger", [subject, port, seconds]);
    return await client.next<{ p50: number; p99: number }>();
  },
});

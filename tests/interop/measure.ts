/**
 * A path with faults on real sockets, measured by this library and by others:
 * what each says beside what the relay did.
 */
import { assert, assertEquals } from "@std/assert";
import {
  byIperf3,
  byIrtt,
  byPli,
  type PathSettings,
} from "./support/path_tools.ts";

const SETTINGS: PathSettings = {
  seed: 7,
  up: {
    loss: 0.1,
    reorder: 0.02,
    duplicate: 0.2,
    delayMs: { min: 20, max: 20 },
  },
  down: {
    loss: 0.05,
    reorder: 0.02,
    duplicate: 0.2,
    delayMs: { min: 20, max: 20 },
  },
  rate: 200,
  // So few that a socket's buffer holds them all while a process pauses.
  seconds: 0.75,
  waitMs: 5000,
};

Deno.test("measure finds the losses, duplicates and reordering of a real path, to the datagram", async () => {
  const { result, truth: { up, down } } = await byPli(SETTINGS);
  const { lost, duplicates, reordering, sent, received } = result;
  assertEquals([sent, up.sent], [150, 150]);
  assertEquals(lost, {
    ownSend: 0,
    out: sent - up.reached.length,
    reflector: 0,
    back: up.reached.length - received,
    ownReceive: 0,
    late: 0,
    unknown: 0,
  });
  assertEquals(duplicates, { out: up.duplicates, back: down.duplicates });
  assertEquals(reordering, { out: up.reordering, back: down.reordering });
  assertEquals(result.reflector, "pli");
});

Deno.test("irtt counts copies as arrivals, from which it computes the losses of a direction", async () => {
  const { result: { stats }, truth } = await byIrtt(SETTINGS);
  assertEquals(stats.packets_sent, truth.up.sent);
  // It subtracts what the server received, doubled ones included.
  const copies = truth.up.reached.length + truth.up.duplicates;
  assert(stats.server_packets_received >= truth.up.reached.length);
  assert(stats.server_packets_received <= copies);
});

Deno.test("iperf3 takes duplicates for reordering, and its losses are too few", async () => {
  const { result: { end }, truth: { up } } = await byIperf3(SETTINGS);
  const lost = up.sent - up.reached.length;
  assert(end.sum.lost_packets < lost);
  assert(end.streams[0]!.udp.out_of_order > up.reordering.count);
});

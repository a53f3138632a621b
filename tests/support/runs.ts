import { assertEquals } from "@std/assert";
import type { ReceivedRun, SocketStats } from "../../mod.ts";

/** Receives runs until that many datagrams are there. */
export async function receiveRuns(
  runs: AsyncIterable<ReceivedRun>,
  datagrams: number,
): Promise<ReceivedRun[]> {
  const got: ReceivedRun[] = [];
  let count = 0;
  for await (const run of runs) {
    got.push(run);
    count += run.count;
    if (count >= datagrams) break;
  }
  assertEquals(count, datagrams);
  return got;
}

/** Whether what arrived is what was received, what waits, and what was dropped. */
export function assertAddsUp(stats: SocketStats, arrived: number): void {
  const dropped = Object.values(stats.dropped).reduce((sum, n) => sum + n, 0);
  assertEquals(stats.received + stats.waiting + dropped, arrived);
}

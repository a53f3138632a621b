import { assertEquals } from "@std/assert";
import { soak } from "../../bench/lib/soak.ts";

Deno.test("each of a million datagrams arrives whole and in order, or its run is a counted drop", async () => {
  for (const ledger of await soak(1_000_000)) {
    const { sent, received, lost, lostRuns, kernelDrops } = ledger;
    assertEquals(sent, 500_000);
    assertEquals(received + lost, sent);
    assertEquals(kernelDrops, lostRuns);
  }
});

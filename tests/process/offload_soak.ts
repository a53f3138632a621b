import { assertEquals } from "@std/assert";
import { soak } from "../../bench/lib/soak.ts";

Deno.test("of a million numbered datagrams of many lengths, both ways, each came to the byte and in order, or was dropped with its whole run, which the kernel counted", async () => {
  for (const ledger of await soak(1_000_000)) {
    const { sent, received, lost, lostRuns, kernelDrops } = ledger;
    assertEquals(sent, 500_000);
    assertEquals(received + lost, sent);
    assertEquals(kernelDrops, lostRuns);
  }
});

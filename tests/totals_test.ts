import { assertEquals } from "@std/assert";
import { collectorTotals } from "../lib/programs/collector_totals.ts";
import { describeReceived } from "../lib/programs/totals.ts";
import type { ServerSettings } from "../lib/programs/server_settings.ts";
import { fakeBound } from "./support/fakes.ts";

/** The end of the totals' first line, over offload or not. */
function dropsIn(fast: boolean, kernelDrops: number | null): string {
  const { socket } = fakeBound();
  const stats = { ...socket.stats, kernelDrops, sinks: {} };
  const carrier = { scheme: "udp", fast };
  const settings = { format: "text", carrier } as unknown as ServerSettings;
  const [line = ""] = collectorTotals(stats, settings);
  return line.replace(/^received 0 messages \(0 bytes\), /, "");
}

Deno.test("over offload the totals say that at least so many were dropped", () => {
  assertEquals(dropsIn(true, 3), "at least 3 dropped by the system");
  assertEquals(dropsIn(true, 0), "0 dropped by the system");
  assertEquals(dropsIn(false, 3), "3 dropped by the system");
  assertEquals(
    dropsIn(true, null).startsWith("dropped by the system: unknown"),
    true,
  );
});

Deno.test("a single connection that broke off is counted in the singular", () => {
  const { socket } = fakeBound();
  const stats = { ...socket.stats, connections: { broken: 1, idle: 2 } };
  assertEquals(
    describeReceived(stats),
    "received 0 messages (0 bytes), 1 connection closed as broken, 2 connections closed as idle",
  );
});

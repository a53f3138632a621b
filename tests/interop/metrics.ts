/** The page's metrics, as Prometheus' own client for Python parses them. */
import { assertEquals } from "@std/assert";
import { openPage, STATS } from "../support/pages.ts";
import { runPeer, testsWhere } from "./support/peers.ts";

// The interpreter that Debian's packages are installed for.
const PYTHON = "/usr/bin/python3";
const PARSE = "tests/interop/peers/parse_metrics.py";

const test = await testsWhere(
  `${PYTHON} -c 'import prometheus_client'`,
  "python3-prometheus-client",
);

const stats = {
  ...STATS,
  kernelDrops: 8,
  withheld: { answerRate: 9 },
  dropped: { 'a "quoted\\reason\n': 5, denied: 0 },
};

for (
  const [format, accept] of [
    ["prometheus", "text/plain"],
    ["openmetrics", "application/openmetrics-text"],
  ] as const
) {
  test(`Prometheus' client parses /metrics as ${format}: counters and gauges`, async () => {
    const page = openPage({ stats: () => Promise.resolve(stats) });
    const response = await fetch(new URL("/metrics", page.url), {
      headers: { accept },
    });
    const text = await response.bytes();
    await page.close();
    const json = await runPeer(PYTHON, [PARSE, format], text);
    const parsed = JSON.parse(new TextDecoder().decode(json));
    const reason = 'a "quoted\\reason\n';
    assertEquals(parsed, {
      pli_received_datagrams: ["counter", [["_total", {}, 7]]],
      pli_received_bytes: ["counter", [["_total", {}, 70]]],
      pli_truncated_datagrams: ["counter", [["_total", {}, 1]]],
      pli_waiting_datagrams: ["gauge", [["", {}, 2]]],
      pli_sent_datagrams: ["counter", [["_total", {}, 3]]],
      pli_sent_bytes: ["counter", [["_total", {}, 30]]],
      pli_failed_sends: ["counter", [["_total", {}, 4]]],
      pli_dropped_datagrams: ["counter", [
        ["_total", { reason }, 5],
        ["_total", { reason: "denied" }, 0],
      ]],
      pli_withheld_answers: ["counter", [
        ["_total", { reason: "answerRate" }, 9],
      ]],
      pli_kernel_dropped_datagrams: ["counter", [["_total", {}, 8]]],
      pli_kernel_drops_known: ["gauge", [["", {}, 1]]],
      pli_sink_messages: ["counter", [
        ["_total", { sink: "store", outcome: "stored" }, 6],
        ["_total", { sink: "store", outcome: "notStored" }, 0],
        ["_total", { sink: "page", outcome: "shown" }, 8],
      ]],
      pli_sink_waiting_messages: ["gauge", [["", { sink: "store" }, 1]]],
      pli_sink_gauge: ["gauge", [["", { sink: "page", name: "clients" }, 3]]],
    });
  });
}

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { metrics } from "../lib/sinks/page/metrics.ts";
import { STATS, withPage } from "./support/pages.ts";

const PROMETHEUS =
  "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

Deno.test("metrics have a help, a type and the value of each count", () =>
  withPage(async ({ url }) => {
    const response = await fetch(new URL("/metrics", url));
    assertEquals(
      response.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    assertEquals(
      await response.text(),
      `# HELP pli_received_datagrams_total Datagrams received.
# TYPE pli_received_datagrams_total counter
pli_received_datagrams_total 7
# HELP pli_received_bytes_total Bytes of datagrams received.
# TYPE pli_received_bytes_total counter
pli_received_bytes_total 70
# HELP pli_truncated_datagrams_total Datagrams received that were cut to the largest size.
# TYPE pli_truncated_datagrams_total counter
pli_truncated_datagrams_total 1
# HELP pli_waiting_datagrams Datagrams that wait to be received.
# TYPE pli_waiting_datagrams gauge
pli_waiting_datagrams 2
# HELP pli_sent_datagrams_total Datagrams sent.
# TYPE pli_sent_datagrams_total counter
pli_sent_datagrams_total 3
# HELP pli_sent_bytes_total Bytes of datagrams sent.
# TYPE pli_sent_bytes_total counter
pli_sent_bytes_total 30
# HELP pli_failed_sends_total Sends that failed.
# TYPE pli_failed_sends_total counter
pli_failed_sends_total 4
# HELP pli_dropped_datagrams_total Datagrams that arrived and were dropped, by reason.
# TYPE pli_dropped_datagrams_total counter
pli_dropped_datagrams_total{reason="queueFull"} 5
# HELP pli_sink_messages_total Messages that were written to a sink, by outcome.
# TYPE pli_sink_messages_total counter
pli_sink_messages_total{sink="store",outcome="stored"} 6
pli_sink_messages_total{sink="store",outcome="notStored"} 0
pli_sink_messages_total{sink="page",outcome="shown"} 8
# HELP pli_sink_waiting_messages Messages that wait in a sink.
# TYPE pli_sink_waiting_messages gauge
pli_sink_waiting_messages{sink="store"} 1
# HELP pli_sink_gauge Other numbers of a sink, by name.
# TYPE pli_sink_gauge gauge
pli_sink_gauge{sink="page",name="clients"} 3
`,
    );
  }));

Deno.test("metrics are OpenMetrics for a client that accepts it, and end with # EOF", () =>
  withPage(async ({ url }) => {
    const headers = { Accept: PROMETHEUS };
    const response = await fetch(new URL("/metrics", url), { headers });
    assertEquals(
      response.headers.get("content-type"),
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const text = await response.text();
    assertMatch(text, /\n# EOF\n$/);
    assertStringIncludes(
      text,
      "# TYPE pli_received_datagrams counter\npli_received_datagrams_total 7\n",
    );
    assertStringIncludes(
      text,
      "# TYPE pli_sink_messages counter\n" +
        'pli_sink_messages_total{sink="store",outcome="stored"} 6\n',
    );
  }));

Deno.test("metrics are in the format that the client prefers, OpenMetrics if it likes both", () => {
  for (
    const [accept, open] of [
      ["application/openmetrics-text", true],
      ["APPLICATION/OpenMetrics-Text; version=1.0.0", true],
      ["text/plain, application/openmetrics-text", true],
      ["application/openmetrics-text;q=0.5, text/plain;q=0.5", true],
      ["application/openmetrics-text;q=0", false],
      ["application/openmetrics-text; q=0.0, */*", false],
      ["application/openmetrics-text;q=0.2,text/plain;q=0.3", false],
      ["application/openmetrics-text;q=x", false],
      ["application/openmetrics-textual", false],
      ["*/*", false],
      ["", false],
    ] as const
  ) {
    const { contentType } = metrics(STATS, accept);
    assertEquals(contentType.includes("openmetrics"), open, accept);
  }
});

Deno.test("drops of the system and withheld replies are exported if they are known", () => {
  const stats = { ...STATS, kernelDrops: 8, withheld: { rate: 9 } };
  const { text } = metrics(stats, "");
  assertStringIncludes(text, "\npli_kernel_dropped_datagrams_total 8\n");
  assertStringIncludes(text, '\npli_withheld_answers_total{reason="rate"} 9\n');
  assertStringIncludes(text, "\npli_kernel_drops_known 1\n");
});

Deno.test("metrics say that the drops of the system are not known", () => {
  const { text } = metrics({ ...STATS, kernelDrops: null }, "");
  assertStringIncludes(text, "\npli_kernel_drops_known 0\n");
  assertEquals(text.includes("pli_kernel_dropped_datagrams"), false);
});

Deno.test("each metric is a counter or a gauge, whatever the sinks are called", () => {
  const sinks = { mine: { done: 1, waiting: 2, open: 3 }, other: { open: 4 } };
  const gauges = { mine: ["open", "waiting"] };
  for (const accept of ["", PROMETHEUS]) {
    const { text } = metrics({ ...STATS, sinks, gauges }, accept);
    const types = text.match(/^# TYPE .*/gm) ?? [];
    assertEquals(types.filter((line) => !/ (counter|gauge)$/.test(line)), []);
    assertStringIncludes(
      text,
      '\npli_sink_messages_total{sink="mine",outcome="done"} 1\n' +
        'pli_sink_messages_total{sink="other",outcome="open"} 4\n',
    );
    assertStringIncludes(text, '\npli_sink_waiting_messages{sink="mine"} 2\n');
    assertStringIncludes(
      text,
      '\npli_sink_gauge{sink="mine",name="open"} 3\n',
    );
  }
});

Deno.test("labels are escaped", () => {
  const { text } = metrics({ ...STATS, dropped: { 'a"b\\c\nd': 1 } }, "");
  assertStringIncludes(text, '{reason="a\\"b\\\\c\\nd"} 1\n');
});

import type { CollectorStats } from "../../sink.ts";

const OPEN_METRICS = "application/openmetrics-text";

/** Counts that go with labels. */
type Samples = readonly (readonly [
  labels: Readonly<Record<string, string>>,
  value: number,
])[];

/** One metric of the two formats. */
interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge" | "unknown";
  samples: Samples;
}

/** The stats as Prometheus reads them. */
export interface Metrics {
  contentType: string;
  text: string;
}

/**
 * Writes the stats as OpenMetrics for who accepts it, else in Prometheus' own
 * text format.
 *
 * @param accept The request's `Accept` header.
 */
export function metrics(stats: CollectorStats, accept: string): Metrics {
  const open = accept.toLowerCase().includes(OPEN_METRICS);
  const text = metricsOf(stats).map((metric) => write(metric, open)).join("");
  return open
    ? {
      contentType: `${OPEN_METRICS}; version=1.0.0; charset=utf-8`,
      text: `${text}# EOF\n`,
    }
    : { contentType: "text/plain; version=0.0.4; charset=utf-8", text };
}

function metricsOf(stats: CollectorStats): Metric[] {
  return [
    counter("received_datagrams", "Datagrams received.", stats.received),
    counter("received_bytes", "Bytes of datagrams received.", stats.bytes),
    counter(
      "truncated_datagrams",
      "Datagrams received that were cut to the largest size.",
      stats.truncated,
    ),
    {
      name: "pli_waiting_datagrams",
      help: "Datagrams that wait to be received.",
      type: "gauge",
      samples: [[{}, stats.waiting]],
    },
    counter("sent_datagrams", "Datagrams sent.", stats.sent),
    counter("sent_bytes", "Bytes of datagrams sent.", stats.sentBytes),
    counter("failed_sends", "Sends that failed.", stats.sendFailed),
    counter(
      "dropped_datagrams",
      "Datagrams that came and were dropped, by reason.",
      byReason(stats.dropped),
    ),
    counter(
      "closed_connections",
      "Connections that the carrier closed by itself, by reason.",
      byReason(stats.connections ?? {}),
    ),
    counter(
      "withheld_answers",
      "Answers that were not sent, by reason.",
      byReason(stats.withheld),
    ),
    counter(
      "kernel_dropped_datagrams",
      "Datagrams that the system dropped for want of buffer.",
      stats.kernelDrops === undefined ? [] : stats.kernelDrops,
    ),
    {
      name: "pli_sink",
      help: "What each sink has counted.",
      type: "unknown",
      samples: Object.entries(stats.sinks).flatMap(([sink, counts]) =>
        Object.entries(counts).map((
          [what, value],
        ) => [{ sink, what }, value] as const)
      ),
    },
  ];
}

function counter(
  name: string,
  help: string,
  values: number | Samples,
): Metric {
  const samples = typeof values === "number" ? [[{}, values] as const] : values;
  return { name: `pli_${name}`, help, type: "counter", samples };
}

function byReason(counts: Readonly<Record<string, number>>): Samples {
  return Object.entries(counts).map(([reason, value]) => [{ reason }, value]);
}

/** Where nothing was counted yet there is no sample, and no metric. */
function write({ name, help, type, samples }: Metric, open: boolean): string {
  if (samples.length === 0) return "";
  const sample = type === "counter" ? `${name}_total` : name;
  // OpenMetrics names a counter without its ending.
  const family = open ? name : sample;
  const kind = type === "unknown" && !open ? "untyped" : type;
  const lines = samples.map(([labels, value]) =>
    `${sample}${inBraces(labels)} ${value}\n`
  );
  return `# HELP ${family} ${help}\n# TYPE ${family} ${kind}\n${
    lines.join("")
  }`;
}

function inBraces(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
}

import type { CollectorStats } from "../../sink.ts";

const OPEN_METRICS = "application/openmetrics-text";
const PLAIN = "text/plain";

/** Values with their labels. */
type Samples = readonly (readonly [
  labels: Readonly<Record<string, string>>,
  value: number,
])[];

/** One metric, for both formats. */
interface Metric {
  /** Without the ending `_total` of a counter. */
  name: string;
  help: string;
  type: "counter" | "gauge";
  samples: Samples;
}

/** The stats in a format that Prometheus reads. */
export interface Metrics {
  contentType: string;
  text: string;
}

/**
 * Writes the stats as OpenMetrics if the client accepts it and likes it no less
 * than plain text, otherwise in Prometheus' own text format.
 *
 * @param accept The request's `Accept` header.
 */
export function metrics(stats: CollectorStats, accept: string): Metrics {
  const wanted = qualityOf(OPEN_METRICS, accept);
  const open = wanted > 0 && wanted >= qualityOf(PLAIN, accept);
  const text = metricsOf(stats).map((metric) => write(metric, open)).join("");
  return open
    ? {
      contentType: `${OPEN_METRICS}; version=1.0.0; charset=utf-8`,
      text: `${text}# EOF\n`,
    }
    : { contentType: `${PLAIN}; version=0.0.4; charset=utf-8`, text };
}

/** Returns how much a client wants a type, from 0 to 1. */
function qualityOf(type: string, accept: string): number {
  const ranges = accept.toLowerCase().split(",").map((range) =>
    range.split(";").map((part) => part.trim())
  );
  const range = ranges.find(([name]) => name === type);
  if (range === undefined) return 0;
  const quality = range.find((part) => part.startsWith("q="));
  return quality === undefined ? 1 : Number(quality.slice(2)) || 0;
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
    gauge(
      "waiting_datagrams",
      "Datagrams that wait to be received.",
      stats.waiting,
    ),
    counter("sent_datagrams", "Datagrams sent.", stats.sent),
    counter("sent_bytes", "Bytes of datagrams sent.", stats.sentBytes),
    counter("failed_sends", "Sends that failed.", stats.sendFailed),
    counter(
      "dropped_datagrams",
      "Datagrams that arrived and were dropped, by reason.",
      byReason(stats.dropped),
    ),
    counter(
      "closed_connections",
      "Connections that the carrier closed by itself, by reason; acceptFailed: failed attempts to accept one.",
      byReason(stats.connections ?? {}),
    ),
    counter(
      "withheld_answers",
      "Replies that were not sent, by reason.",
      byReason(stats.withheld),
    ),
    counter(
      "kernel_dropped_datagrams",
      "Datagrams that the system dropped because the buffer was full; over offload at least so many.",
      stats.kernelDrops ?? [],
    ),
    gauge(
      "kernel_drops_known",
      "Whether it is known how many the system dropped (1), or not (0).",
      stats.kernelDrops === undefined ? [] : stats.kernelDrops === null ? 0 : 1,
    ),
    ...ofSinks(stats),
  ];
}

/** The numbers of a sink are counts of messages, but for `waiting` and gauges. */
function ofSinks({ sinks, gauges = {} }: CollectorStats): Metric[] {
  const numbers = Object.entries(sinks).flatMap(([sink, stats]) =>
    Object.entries(stats).map(([name, value]) => ({ sink, name, value }))
  );
  const isWaiting = ({ name }: { name: string }) => name === "waiting";
  const isGauge = ({ sink, name }: { sink: string; name: string }) =>
    gauges[sink]?.includes(name) === true;
  return [
    counter(
      "sink_messages",
      "Messages that were written to a sink, by outcome.",
      numbers.filter((n) => !isWaiting(n) && !isGauge(n))
        .map(({ sink, name, value }) => [{ sink, outcome: name }, value]),
    ),
    gauge(
      "sink_waiting_messages",
      "Messages that wait in a sink.",
      numbers.filter(isWaiting).map(({ sink, value }) => [{ sink }, value]),
    ),
    gauge(
      "sink_gauge",
      "Other numbers of a sink, by name.",
      numbers.filter((n) => !isWaiting(n) && isGauge(n))
        .map(({ sink, name, value }) => [{ sink, name }, value]),
    ),
  ];
}

function counter(name: string, help: string, values: number | Samples) {
  return metric("counter", name, help, values);
}

function gauge(name: string, help: string, values: number | Samples) {
  return metric("gauge", name, help, values);
}

function metric(
  type: Metric["type"],
  name: string,
  help: string,
  values: number | Samples,
): Metric {
  const samples = typeof values === "number" ? [[{}, values] as const] : values;
  return { name: `pli_${name}`, help, type, samples };
}

function byReason(counts: Readonly<Record<string, number>>): Samples {
  return Object.entries(counts).map(([reason, value]) => [{ reason }, value]);
}

/** Writes a metric; without samples, nothing. */
function write({ name, help, type, samples }: Metric, open: boolean): string {
  if (samples.length === 0) return "";
  const sample = type === "counter" ? `${name}_total` : name;
  // OpenMetrics names a counter without its ending `_total`.
  const family = open ? name : sample;
  const lines = samples.map(([labels, value]) =>
    `${sample}${inBraces(labels)} ${value}\n`
  );
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${
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

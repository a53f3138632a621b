/** Fixed results of measurements. */
import {
  type Delays,
  Histogram,
  type MeasuredPacket,
  type MeasureInterval,
  type MeasureResult,
} from "../../lib/measure.ts";

/** Returns a histogram of these values, in milliseconds. */
export function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** The delays of nothing. */
export const NO_DELAYS: Delays = histogramOf([]).delays();

const DELAYS: Delays = {
  ...{ count: 1829, min: 20, mean: 20.9, p50: 20.914, p90: 21.65 },
  ...{ p99: 21.81, p999: 21.827, p9999: 21.828, max: 21.828 },
};

/** A result without anything unusual but losses and duplicates. */
export function resultWith(
  changes: Partial<MeasureResult> = {},
): MeasureResult {
  const reordering = { count: 0, ratio: 0, maxExtent: 0, meanExtent: 0 };
  const jitter = { rfc3550: 0.25, ipdv: DELAYS, pdv: DELAYS };
  return {
    version: 1,
    valid: true,
    invalid: [],
    to: "udp://127.0.0.1:62862",
    reflector: "pli",
    rate: 200,
    sizes: [44],
    durationMs: 10_000,
    sent: 2000,
    received: 1829,
    lost: {
      ownSend: 1,
      out: 80,
      reflector: 2,
      back: 84,
      ownReceive: 1,
      late: 3,
      unknown: 0,
    },
    duplicates: { out: 10, back: 30 },
    unexpected: 0,
    reordered: { out: 0, back: 0 },
    reordering: { out: reordering, back: reordering },
    rttMs: DELAYS,
    pathMs: DELAYS,
    reflectorMs: DELAYS,
    latenessMs: DELAYS,
    jitterMs: { out: jitter, back: { ...jitter, rfc3550: 0.5 } },
    timeStamps: "program",
    ...changes,
  };
}

/** One second of a measurement. */
export function intervalWith(
  changes: Partial<MeasureInterval> = {},
): MeasureInterval {
  return {
    startMs: 1000,
    durationMs: 1000.25,
    sent: 200,
    received: 190,
    waiting: 4,
    duplicates: { out: 1, back: 2 },
    reordered: { out: 0, back: 1 },
    rttMs: DELAYS,
    ...changes,
  };
}

/** A question that was answered. */
export function packetWith(
  changes: Partial<MeasuredPacket> = {},
): MeasuredPacket {
  return {
    number: 0,
    size: 44,
    plannedMs: 0,
    sentMs: 0.125,
    receivedMs: 20.5,
    reflectorMs: 0.0625,
    duplicates: 0,
    fate: "answered",
    ...changes,
  };
}

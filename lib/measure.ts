/**
 * Measuring a path: loss, duplicates, reordering, delays and jitter by direction,
 * with STAMP (RFC 8762).
 *
 * @module
 */
export { measure, type Measurement } from "./measure/measure.ts";
export type { MeasureOptions } from "./measure/options.ts";
export type {
  ByDirection,
  Delays,
  Jitter,
  Lost,
  MeasureCounts,
  MeasuredPacket,
  MeasureInterval,
  MeasureResult,
  Reordering,
} from "./measure/result.ts";
export { Histogram } from "./measure/histogram.ts";
export type { CarrierSource } from "./carrier.ts";
export type { NetAddr } from "./addr.ts";

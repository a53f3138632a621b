/**
 * Measuring a path by STAMP (RFC 8762): loss, duplicates, reordering, delays and
 * jitter by direction, and the reflector that answers.
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
export {
  reflect,
  type ReflectOptions,
  type Reflector,
  type ReflectorStats,
  type Refusals,
} from "./measure/reflector.ts";
export {
  type RateSearchOptions,
  type RateSearchResult,
  type RateTrial,
  searchRate,
} from "./measure/search.ts";

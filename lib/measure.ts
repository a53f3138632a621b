/**
 * Measuring a path by STAMP (RFC 8762): the reflector that answers.
 *
 * @module
 */
export {
  reflect,
  type ReflectOptions,
  type Reflector,
  type ReflectorStats,
  type Refusals,
} from "./measure/reflector.ts";

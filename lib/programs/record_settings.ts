import type { Needs } from "./needs.ts";
import { bytes, path } from "./options.ts";

const GIBIBYTE = 1024 ** 3;

/** What is recorded, and where. */
export interface RecordSettings {
  path: string;
  /** The most bytes of the file. */
  limit: number;
}

/**
 * Reads `--record` and `--record-limit`.
 *
 * @throws {UsageError} One of them is wrong.
 */
export function recordSettings(
  file: string | undefined,
  limit: string | undefined,
): RecordSettings | undefined {
  if (file === undefined) return undefined;
  return {
    path: path("record", file),
    limit: bytes("record-limit", limit, GIBIBYTE),
  };
}

/** To create that file. */
export function toRecord(settings: RecordSettings | undefined): Needs {
  return settings === undefined ? {} : { write: [settings.path] };
}

import { dirname } from "node:path";
import type { Row } from "./cases.ts";
import type { Figures } from "./measure.ts";

/** A whole run, as it is written as JSON. */
export interface Outcome {
  /** The machine, its system and the day. */
  machine: string;
  versions: string[];
  rounds: number;
  /** How long each measurement took. */
  seconds: number;
  /** How many cores other programs kept busy, in the mean. */
  otherCores: number;
  /** What could not be measured, and why. */
  missing: { what: string; reason: string }[];
  /** The rows that were measured, table by table. */
  rows: Row[];
  /** What was measured, by a row's id, round by round. */
  figures: Partial<Record<string, Figures[]>>;
}

/** Writes it down. */
export async function writeOutcome(
  outcome: Outcome,
  path: string,
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, `${JSON.stringify(outcome, null, 2)}\n`);
}

/** Reads one that was written. */
export async function readOutcome(path: string): Promise<Outcome> {
  return JSON.parse(await Deno.readTextFile(path));
}

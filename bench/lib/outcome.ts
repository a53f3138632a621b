import { dirname } from "node:path";
import type { Row } from "./group.ts";
import type { Rounds } from "./results.ts";

/** A whole run, as it is written as JSON. */
export interface Outcome {
  /** The machine, its system and the date. */
  machine: string;
  versions: string[];
  rounds: number;
  /** The length of each measurement. */
  seconds: number;
  /** The mean number of cores that other programs kept busy. */
  otherCores: number;
  /** What could not be measured, and why. */
  missing: { what: string; reason: string }[];
  /** The rows that were measured, table by table. */
  rows: Row[];
  /** What was measured, by the id of a row, round by round. */
  figures: Rounds;
}

/**
 * Checks that a file can be written, and leaves it as it is.
 *
 * @throws {Error} It cannot.
 */
export async function checkWritable(path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    (await Deno.open(path, { write: true, createNew: true })).close();
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    (await Deno.open(path, { write: true })).close();
  }
}

/** Writes a run to a file. */
export async function writeOutcome(
  outcome: Outcome,
  path: string,
): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(outcome, null, 2)}\n`);
}

/** Reads a run from a file. */
export async function readOutcome(path: string): Promise<Outcome> {
  return JSON.parse(await Deno.readTextFile(path));
}

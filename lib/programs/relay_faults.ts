import { quote } from "../errors.ts";
import type { Faults } from "../testing/faults.ts";
import {
  describeFaults,
  type FaultTexts,
  readFaultList,
  readFaults,
} from "./fault_options.ts";
import { UsageError } from "./options.ts";

const WAYS = ["up", "down"] as const;

/** A direction of a relay: to the server, or to the clients. */
export type Way = typeof WAYS[number];

/** The faults of a relay in both directions, as texts that can be changed. */
export class RelayFaults {
  #texts: Record<Way, FaultTexts>;

  /**
   * @param texts The faults in both directions.
   * @throws {UsageError} One of them is wrong.
   */
  constructor(texts: FaultTexts) {
    readFaults(texts);
    this.#texts = { up: texts, down: texts };
  }

  /** All faults of both directions. */
  get all(): [Way, Faults][] {
    return WAYS.map((way) => [way, readFaults(this.#texts[way])]);
  }

  /**
   * Changes faults in some directions.
   *
   * @param where What the list is given to, for the errors.
   * @param list Such as `loss=10%,delay=20ms`.
   * @returns All faults of these directions.
   * @throws {UsageError} The list is wrong; then nothing has changed.
   */
  set(
    where: string,
    list: string,
    ways: readonly Way[] = WAYS,
  ): [Way, Faults][] {
    const read = ways.map((way) =>
      [way, readFaultList(where, list, this.#texts[way])] as const
    );
    for (const [way, { texts }] of read) this.#texts[way] = texts;
    return read.map(([way, { faults }]) => [way, faults]);
  }

  /**
   * Carries out a command: `set loss 0`, `set up delay 20ms..80ms`, or an empty one,
   * which changes nothing.
   *
   * @returns All faults of the directions that it changes.
   * @throws {UsageError} It is no command, or its list is wrong.
   */
  execute(command: string): [Way, Faults][] {
    const [, verb = "", way, list = ""] =
      /^\s*(\S*)(?:\s+(up|down)(?=\s|$))?\s*(.*?)\s*$/s.exec(command) ?? [];
    if (verb === "" && list === "") return [];
    if (verb !== "set") {
      throw new UsageError(
        `${quote(command)}: no command; give one as set loss 10%, or ` +
          "set up delay 20ms..80ms",
      );
    }
    return this.set("set", list, way === undefined ? WAYS : [way as Way]);
  }

  /** Describes what holds now in both directions, in one line. */
  describe(): string {
    const [up, down] = WAYS.map((way) => describeFaults(this.#texts[way]));
    return up === down ? `faults: ${up}` : `faults: up ${up}; down ${down}`;
  }
}

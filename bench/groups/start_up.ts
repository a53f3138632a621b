import { Child, denoProgram } from "../lib/child.ts";
import { column, tenths } from "../lib/format.ts";
import type { Case, Figures, Group } from "../lib/group.ts";
import { ENDS } from "./round_trip.ts";

/** A program starts until it listens. */
export const startUp: Group = {
  name: "start-up",
  title: "Time from the command until the program listens",
  tables: [{
    rows: "program",
    metric: "ms",
    columns: [column("ms", "ms", tenths)],
  }],
  cases: [
    ...ENDS.map(([implementation, label]): Case => ({
      ...{ label, implementation, needs: [implementation] },
      id: `${implementation} start-up`,
      measure: (start) =>
        timed(
          () => start(implementation, "receive", 100, 1),
          (program) => program.next(),
        ),
    })),
    {
      ...{ label: "Pli's program, server.ts", implementation: "pli" },
      id: "server start-up",
      needs: [],
      measure: () =>
        timed(
          () => new Child([...denoProgram("../server.ts"), "127.0.0.1:0"]),
          (program) => program.logged(/^listening on /),
        ),
    },
  ],
};

async function timed(
  start: () => Child,
  listens: (program: Child) => Promise<unknown>,
): Promise<Figures> {
  const begin = performance.now();
  await using program = start();
  await listens(program);
  return { ms: performance.now() - begin };
}

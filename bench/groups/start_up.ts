import { Child, denoProgram, NET } from "../lib/child.ts";
import { column, megabytes, tenths } from "../lib/format.ts";
import type { Case, Figures, Group, Start } from "../lib/group.ts";
import type { ImplementationName } from "../lib/implementations.ts";
import { isBrief } from "../lib/least.ts";
import { median } from "../lib/results.ts";
import { used } from "../lib/used.ts";

// Measured in each round.
const STARTS = 5;
// Deno keeps compiled code for the next start, and writes it down after a while.
const WARM_UP_MS = 3000;
const NOT_DENO: readonly ImplementationName[] = ["node", "bun", "c"];
const BARE = "start-up, Deno.DatagramConn";

/** A program that starts. */
interface Program {
  label: string;
  implementation: ImplementationName;
  start(start: Start): Child;
  /** Waits until it listens. @default {for a value on standard output} */
  listens?(program: Child): Promise<unknown>;
}

// Programs of the other groups also load the meter, which takes Deno 12 ms.
const PROGRAMS: readonly Program[] = [
  own("Deno.DatagramConn", "raw", "raw.ts"),
  own("Pli", "pli", "pli.ts"),
  own("Pli over offload", "offload", "offload.ts", "--allow-ffi"),
  {
    ...{ label: "Pli's program, server.ts", implementation: "pli" },
    start: () => new Child([...denoProgram("../server.ts"), "127.0.0.1:0"]),
    listens: (program) => program.logged(/^listening on /),
  },
  peer("Deno.DatagramConn and node:process", "raw"),
  peer("node:dgram on Node", "node"),
  peer("node:dgram on Deno", "node-on-deno"),
  peer("Bun", "bun"),
  peer("C", "c"),
];

/** A program starts until it listens. */
export const startUp: Group = {
  name: "start-up",
  title: "Time from the command until the program listens",
  tables: [{
    rows: "program",
    metric: "ms",
    columns: [
      column("ms", "ms", tenths),
      column("MB at rest", "restBytes", megabytes),
    ],
  }],
  targets: [
    ["Pli", 1.25] as const,
    ["Pli's program, server.ts", 1.4] as const,
  ].map(([label, atMost]) => ({
    what: `${label} / Deno.DatagramConn, start-up`,
    ...{ metric: "ms", subject: `start-up, ${label}`, base: BARE, atMost },
  })),
  cases: PROGRAMS.map((program): Case => {
    const { label, implementation } = program;
    let isWarm = NOT_DENO.includes(implementation);
    return {
      ...{ label, implementation, needs: [implementation] },
      id: `start-up, ${label}`,
      async measure(start, seconds) {
        if (!isWarm && !isBrief(seconds)) {
          await timed(start, program, WARM_UP_MS);
          isWarm = true;
        }
        const times: Figures[] = [];
        const starts = isBrief(seconds) ? 1 : STARTS;
        while (times.length < starts) times.push(await timed(start, program));
        const of = (metric: string) =>
          median(times.map((figures) => figures[metric]!));
        return { ms: of("ms"), restBytes: of("restBytes") };
      },
    };
  }),
};

function own(
  label: string,
  implementation: ImplementationName,
  file: string,
  ...permissions: string[]
): Program {
  const command = denoProgram(`peers/start_up/${file}`, [NET, ...permissions]);
  return { label, implementation, start: () => new Child(command) };
}

function peer(label: string, implementation: ImplementationName): Program {
  return {
    ...{ label, implementation },
    start: (start) => start(implementation, "receive", 100, 1),
  };
}

async function timed(
  start: Start,
  { start: begin, listens = (program) => program.next() }: Program,
  restMs = 0,
): Promise<Figures> {
  const before = performance.now();
  await using program = begin(start);
  await listens(program);
  const ms = performance.now() - before;
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return { ms, restBytes: (await used(program.pid)).bytes };
}

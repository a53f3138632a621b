import { machine, Quiet } from "./machine.ts";
import type { Case } from "./cases.ts";
import { Child } from "./child.ts";
import { type KitName, KITS } from "./kits.ts";
import type { Figures, Run } from "./measure.ts";
import type { Outcome } from "./outcome.ts";
import type { Options } from "./options.ts";
import { Results } from "./results.ts";

/**
 * Measures every case once a round. Every other round goes backwards, so that a
 * machine that grows faster or slower favours none.
 */
export async function sideBySide(
  cases: readonly Case[],
  { rounds, seconds, patience }: Options,
): Promise<Outcome> {
  const missing: Outcome["missing"] = [];
  const commands = await prepare(cases, missing);
  const run: Run = ({ kit, role }) => [...commands.get(kit)!, role];
  const rows = cases.filter(({ needs }) =>
    needs.every((kit) => commands.has(kit))
  );
  const left = new Map(rows.map((row) => [row.id, row]));
  const results = new Results<string, string>();
  const quiet = new Quiet(patience);
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    const order = [...left.values()];
    if (round % 2 === 0) order.reverse();
    for (const row of order) {
      try {
        results.add(
          row.id,
          rounded(await quiet.measure(() => row.measure(run, seconds))),
        );
      } catch (error) {
        left.delete(row.id);
        results.drop(row.id);
        missing.push({ what: `${row.group}, ${row.id}`, reason: said(error) });
      }
    }
  }
  return {
    machine: machine(),
    versions: await versions([...commands.keys()]),
    ...{ rounds, seconds, missing },
    otherCores: quiet.otherCores,
    rows: rows.filter(({ id }) => left.has(id)).map(
      ({ group, size, label, id }) => ({ group, size, label, id }),
    ),
    figures: results.toJSON(),
  };
}

/** Makes all programs ready that are needed, and starts each once. */
async function prepare(
  cases: readonly Case[],
  missing: Outcome["missing"],
): Promise<Map<KitName, string[]>> {
  const commands = new Map<KitName, string[]>();
  for (const kit of new Set(cases.flatMap(({ needs }) => needs))) {
    try {
      const command = await KITS[kit].prepare();
      await using receiver = new Child([...command, "receive"], 100, 1);
      await receiver.next<Figures>();
      commands.set(kit, command);
    } catch (error) {
      missing.push({ what: `all of ${kit}`, reason: said(error) });
    }
  }
  return commands;
}

async function versions(kits: readonly KitName[]): Promise<string[]> {
  const all = await Promise.all(kits.map((kit) => KITS[kit].version()));
  return [...new Set(all)].filter((version) => !version.startsWith("Deno"));
}

/** As many digits as mean something. */
function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map((
      [name, value],
    ) => [name, Number(value.toPrecision(5))]),
  );
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

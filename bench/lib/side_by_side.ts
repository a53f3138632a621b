import { Child } from "./child.ts";
import type { Case, Figures, Row, Start } from "./group.ts";
import { type ImplementationName, IMPLEMENTATIONS } from "./implementations.ts";
import { machine, Quiet } from "./machine.ts";
import type { Options } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { Results } from "./results.ts";

/**
 * Measures every case once per round. Every other round goes backwards, so that
 * a machine that becomes faster or slower favors no case.
 */
export async function sideBySide(
  cases: readonly (Case & Row)[],
  { rounds, seconds, patience }: Options,
): Promise<Outcome> {
  const missing: Outcome["missing"] = [];
  const { commands, versions } = await prepare(cases, missing);
  const start: Start = (name, ...args) =>
    new Child([...commands.get(name)!, ...args]);
  const present = cases.filter(({ needs }) =>
    needs.every((name) => commands.has(name))
  );
  const left = new Map(present.map((each) => [each.id, each]));
  const results = new Results();
  const quiet = new Quiet(patience);
  for (let round = 1; round <= rounds && left.size > 0; round++) {
    console.error(`round ${round} of ${rounds}`);
    const order = [...left.values()];
    if (round % 2 === 0) order.reverse();
    for (const each of order) {
      try {
        const figures = await quiet.measure(() => each.measure(start, seconds));
        results.add(each.id, rounded(figures));
      } catch (error) {
        left.delete(each.id);
        results.drop(each.id);
        const what = `${each.group}, ${each.id}`;
        missing.push({ what, reason: messageOf(error) });
      }
    }
  }
  return {
    machine: machine(),
    ...{ versions, rounds, seconds, missing },
    otherCores: quiet.otherCores,
    rows: present.filter(({ id }) => left.has(id)).map(
      ({ group, size, label, id }) => ({ group, size, label, id }),
    ),
    figures: results.toJSON(),
  };
}

/** Prepares all programs that are needed. */
async function prepare(
  cases: readonly Case[],
  missing: Outcome["missing"],
) {
  const commands = new Map<ImplementationName, string[]>();
  const versions = new Set<string>();
  for (const name of new Set(cases.flatMap(({ needs }) => needs))) {
    try {
      const { command, version } = await IMPLEMENTATIONS[name]();
      commands.set(name, command);
      if (version !== undefined) versions.add(version);
    } catch (error) {
      const what = `everything that needs ${name}`;
      missing.push({ what, reason: messageOf(error) });
    }
  }
  return { commands, versions: [...versions] };
}

/** Rounds figures to the digits that mean something. */
function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => {
      if (!Number.isFinite(value)) throw new Error(`${name} was not measured`);
      return [name, Number(value.toPrecision(5))];
    }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

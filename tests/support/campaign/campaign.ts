import fc from "fast-check";
import { act, OPERATIONS } from "./operations.ts";
import { consoleErrors } from "../helpers.ts";
import { type Place, turn, World } from "./world.ts";

const MAX_STEPS = 25;

const step = fc.record({
  name: fc.constantFrom(
    ...[
      "send",
      "send",
      "sendMany",
      "sendMany",
      "receive",
      "receive",
      "request",
    ],
    ...["request", "close", ...Object.keys(OPERATIONS)],
  ),
  party: fc.nat({ max: 3 }),
  n: fc.nat({ max: 999 }),
  turns: fc.nat({ max: 2 }),
});

/**
 * Runs random programs, whose callbacks misbehave, over sockets of their own, and
 * checks after each one that every datagram is accounted for and nothing hangs.
 *
 * @param open Prepares a place for each program.
 * @param numRuns How many programs.
 */
export async function campaign(
  open: () => Place,
  numRuns: number,
): Promise<void> {
  const program = fc.array(step, { minLength: 5, maxLength: MAX_STEPS });
  const property = fc.asyncProperty(program, async (steps) => {
    const world = new World(open());
    await world.open();
    const { server } = world;
    if (server !== undefined) {
      server.act = (k) => {
        if (k % 3 === 0) act(world, server.client!, k);
      };
    }
    for (const { name, party, n, turns } of steps) {
      const actor = world.parties[party % world.parties.length]!;
      world.attempt(() => OPERATIONS[name]!(world, actor, n));
      for (let i = 0; i < turns; i++) await turn();
    }
    await world.finish();
  });
  await consoleErrors(() =>
    fc.assert(property, { seed: 1, numRuns, endOnFailure: true })
  );
}

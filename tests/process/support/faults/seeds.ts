// Each run waits more than it computes.
const LANES = 3;

const SEED = Deno.env.get("PLI_SEED");

/**
 * Declares a test that runs campaigns, a few at a time, from the seeds 1 to `runs`.
 * `PLI_CAMPAIGN=300` runs that many; `PLI_SEED=17` runs one, and prints what was
 * done.
 *
 * @param run Runs one campaign, and returns what was done.
 * @param declare Declares the test.
 */
export function testSeeds(
  promise: string,
  runs: number,
  run: (seed: number) => Promise<readonly string[]>,
  declare: (name: string, test: () => Promise<void>) => void = Deno.test,
): void {
  const count = Number(Deno.env.get("PLI_CAMPAIGN") ?? runs);
  const seeds = SEED === undefined
    ? Array.from({ length: count }, (_, i) => i + 1)
    : [Number(SEED)];
  declare(`${promise}: ${seeds.length} runs`, async () => {
    const failed: Error[] = [];
    const left = seeds.values();
    const lane = async () => {
      for (const seed of left) {
        try {
          const done = await run(seed);
          if (SEED !== undefined) console.log(done.join("\n"));
        } catch (error) {
          failed.push(error as Error);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    if (failed.length === 0) return;
    const reports = failed.map(({ message }) => message);
    throw new Error(
      `${failed.length} runs failed:\n\n${reports.join("\n\n")}`,
      {
        cause: failed[0],
      },
    );
  });
}

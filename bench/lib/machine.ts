import { cpus } from "node:os";

const LISTEN_MS = 50;
// In cores. What others use beyond it is in the way.
const BUSY = 0.5;

/** One line on what the figures were measured with. */
export function machine(): string {
  const all = cpus();
  return [
    `${all[0]?.model ?? "unknown CPU"}, ${all.length} cores`,
    `${Deno.build.os} ${Deno.osRelease()}`,
    `Deno ${Deno.version.deno}`,
    new Date().toISOString().slice(0, 10),
  ].join(" · ");
}

/** Waits until other programs leave the machine alone. */
export class Quiet {
  readonly #listened: number[] = [];
  #patience: number;

  /** @param patience How long to wait in all: then it is measured anyhow, in ms. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Listens for a moment; longer where somebody else is busy. */
  async wait(): Promise<void> {
    for (;;) {
      const busy = await busyCores(LISTEN_MS);
      this.#patience -= busy < BUSY ? 0 : LISTEN_MS;
      if (busy >= BUSY && this.#patience > 0) continue;
      this.#listened.push(busy);
      return;
    }
  }

  /** How many cores others kept busy when it was measured, in the mean. */
  get otherCores(): number {
    const sum = this.#listened.reduce((sum, cores) => sum + cores, 0);
    return sum / this.#listened.length;
  }
}

async function busyCores(ms: number): Promise<number> {
  const [before, start] = [busyMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, ms));
  return (busyMs() - before) / (performance.now() - start);
}

function busyMs(): number {
  return cpus().reduce(
    (sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq,
    0,
  );
}

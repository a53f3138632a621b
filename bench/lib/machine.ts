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

/** Measures while other programs leave the machine alone. */
export class Quiet {
  readonly #heard: number[] = [];
  #patience: number;

  /**
   * @param patience How long to wait for that, in all, in seconds. After that
   * it is measured all the same.
   */
  constructor(patience: number) {
    this.#patience = patience * 1000;
  }

  /** Measures once others are quiet; again, where they no longer are after it. */
  async measure<T>(measure: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#wait();
      const start = performance.now();
      const measured = await measure();
      const busy = await busyCores(LISTEN_MS);
      if (busy < BUSY || this.#patience <= 0) {
        this.#heard.push(busy);
        return measured;
      }
      this.#patience -= performance.now() - start;
    }
  }

  /** How many cores others kept busy when it was measured, in the mean. */
  get otherCores(): number {
    const sum = this.#heard.reduce((sum, cores) => sum + cores, 0);
    return sum / this.#heard.length;
  }

  async #wait(): Promise<void> {
    while (this.#patience > 0 && await busyCores(LISTEN_MS) >= BUSY) {
      this.#patience -= LISTEN_MS;
    }
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

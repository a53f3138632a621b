import { cpus } from "node:os";

const SAMPLE_MS = 50;
// In cores: if other programs use more, they disturb a measurement.
const BUSY = 0.5;

/** Describes the machine, its system and the date in one line. */
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
  readonly #samples: number[] = [];
  #patienceMs: number;

  /**
   * @param patience Seconds to wait for that, in all. After that it measures
   * whatever other programs do.
   */
  constructor(patience: number) {
    this.#patienceMs = patience * 1000;
  }

  /**
   * Measures once other programs are quiet, and repeats the measurement if they
   * are busy after it.
   */
  async measure<T>(measure: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#wait();
      const start = performance.now();
      const measured = await measure();
      const busy = await busyCores(SAMPLE_MS);
      if (busy < BUSY || this.#patienceMs <= 0) {
        this.#samples.push(busy);
        return measured;
      }
      this.#patienceMs -= performance.now() - start;
    }
  }

  /** The mean number of cores that other programs kept busy. */
  get otherCores(): number {
    const sum = this.#samples.reduce((sum, cores) => sum + cores, 0);
    return sum / this.#samples.length;
  }

  async #wait(): Promise<void> {
    while (this.#patienceMs > 0 && await busyCores(SAMPLE_MS) >= BUSY) {
      this.#patienceMs -= SAMPLE_MS;
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

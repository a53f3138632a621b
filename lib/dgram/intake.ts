import type { Addr, NetAddr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { CopyPool } from "../copy_pool.ts";
import { errors } from "../errors.ts";
import { quickTurnIsDue, turned } from "../turns.ts";

// The longest datagram of UDP.
const MAX_SIZE = 65_535;

/** What becomes of what a carrier receives. */
export interface Outcomes {
  readonly arrived: (data: Uint8Array<ArrayBuffer>, from: NetAddr) => void;
  readonly failed: (cause: unknown) => void;
  /** The carrier was closed by somebody else. */
  readonly ended: () => void;
}

/** Receives from a carrier until that is closed: nothing can pause it. */
export class Intake {
  /** Resolves when nothing is in flight any more. */
  readonly ended: Promise<void>;
  readonly #carrier: Carrier;
  readonly #outcomes: Outcomes;
  readonly #pool = new CopyPool();
  #hasEnded = false;

  constructor(carrier: Carrier, outcomes: Outcomes) {
    this.#carrier = carrier;
    this.#outcomes = outcomes;
    this.ended = this.#receive();
  }

  /** Passes on nothing more. */
  end(): void {
    this.#hasEnded = true;
  }

  async #receive(): Promise<void> {
    const carrier = this.#carrier;
    const isVirtual = carrier.clock?.isVirtual === true;
    const hasBatches = carrier.receiveBatch !== undefined;
    // A simulated network allocates as much as a datagram needs.
    const buffer = isVirtual || hasBatches
      ? undefined
      : new Uint8Array(MAX_SIZE);
    while (!this.#hasEnded) {
      try {
        if (hasBatches) await this.#batch();
        else {
          const [data, from] = await carrier.receive(buffer);
          this.#pass(data, from);
        }
      } catch (error) {
        if (this.#hasEnded) return;
        if (isClosed(error)) return this.#outcomes.ended();
        this.#outcomes.failed(error);
        if (!isVirtual) await turned();
      }
      if (!isVirtual && quickTurnIsDue()) await turned();
    }
  }

  async #batch(): Promise<void> {
    for (const run of await this.#carrier.receiveBatch!()) {
      const { data, segmentSize, count, from } = run;
      for (let i = 0; i < count; i++) {
        const start = i * segmentSize;
        this.#pass(data.subarray(start, start + segmentSize), from);
      }
    }
  }

  #pass(data: Uint8Array, from: Addr): void {
    if (this.#hasEnded) return;
    this.#outcomes.arrived(this.#pool.copy(data), from as NetAddr);
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof errors.BadResource ||
    error instanceof errors.Interrupted;
}

import { type Addr, copyAddr } from "../../addr.ts";
import type { Run } from "../../carrier.ts";

/** Divides batches into single datagrams. */
export class Singles {
  readonly #receiveBatch: () => Promise<readonly Run[]>;
  // What is left of the last batch.
  #rest: Run[] = [];

  constructor(receiveBatch: () => Promise<readonly Run[]>) {
    this.#receiveBatch = receiveBatch;
  }

  /** Returns the next datagram, as `receive` of a carrier. */
  async next(
    buffer: Uint8Array | undefined,
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    let run = this.#rest[0];
    while (run === undefined) {
      this.#rest = [...await this.#receiveBatch()];
      run = this.#rest[0];
    }
    const { data, segmentSize, count } = run;
    const from = copyAddr(run.from);
    if (count === 1) this.#rest.shift();
    else {
      this.#rest[0] = {
        ...run,
        data: data.subarray(segmentSize),
        count: count - 1,
      };
    }
    const whole = data.subarray(0, segmentSize);
    if (buffer === undefined) return [whole.slice(), from];
    const taken = whole.subarray(0, buffer.length);
    buffer.set(taken);
    return [
      buffer.subarray(0, taken.length) as Uint8Array<ArrayBuffer>,
      from,
    ];
  }
}

import type { Addr } from "../addr.ts";
import type { Carrier, Run } from "../carrier.ts";

/** What becomes of a `receive` of the carrier. */
export interface Outcomes {
  readonly arrived: (arrival: [Uint8Array<ArrayBuffer>, Addr]) => void;
  readonly batchArrived: (arrived: readonly Run[]) => void;
  readonly failed: (cause: unknown) => void;
}

/** Calls `receive`, or `receiveBatch`, of a carrier: one at a time. */
export class Reader {
  /**
   * Whether a `receive` is in flight, or what it brought is being passed on. A
   * `match` may call anything, and the next `receive` would overwrite the memory.
   */
  isReading = false;
  readonly #carrier: Carrier;
  readonly #maxSize: number;
  readonly #outcomes: Outcomes;
  #buffer: Uint8Array | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(carrier: Carrier, maxSize: number, outcomes: Outcomes) {
    this.#carrier = carrier;
    this.#maxSize = maxSize;
    this.#outcomes = outcomes;
  }

  /**
   * Begins to receive.
   *
   * @param isKept Whether the program keeps the memory of the last batch.
   */
  read(isKept = false): void {
    const carrier = this.#carrier;
    const { arrived, batchArrived, failed } = this.#outcomes;
    this.isReading = true;
    try {
      if (carrier.receiveBatch === undefined) {
        this.#buffer ??= new Uint8Array(bufferSize(this.#maxSize));
        const receiving = carrier.receive(this.#buffer);
        // What is no promise is no datagram; another `then` may call twice.
        (receiving instanceof Promise ? receiving : Promise.resolve(receiving))
          .then(arrived, failed);
      } else {
        if (isKept) carrier.leaveBatch?.();
        Promise.resolve(carrier.receiveBatch()).then(batchArrived, failed);
      }
    } catch (error) {
      Promise.reject(error).catch(failed);
    }
  }

  /** Resolves when nothing is in flight, after the socket was closed. */
  idle(): Promise<void> {
    if (!this.isReading) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** To be called when the last `receive` is over, after the socket was closed. */
  end(): void {
    this.#idle?.resolve();
  }
}

/**
 * One byte more than the limit shows that a datagram was cut. Windows rejects a
 * datagram that does not fit (error 10040), so there the longest must fit.
 */
function bufferSize(maxSize: number): number {
  const { Deno: deno } = globalThis as { Deno?: { build: { os: string } } };
  return deno?.build.os === "windows"
    ? Math.max(maxSize + 1, 65_536)
    : maxSize + 1;
}

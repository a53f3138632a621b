// So many sends that complete at once, one after another, take less than a
// millisecond.
const SENDS_PER_TURN = 64;

/** Lets timers and other connections have their turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Counts sends that complete at once, and tells when a turn is due. */
export class Turns {
  #sends = 0;

  /** Counts one send. @returns Whether it has to wait for a turn. */
  isDue(): boolean {
    return ++this.#sends % SENDS_PER_TURN === 0;
  }
}

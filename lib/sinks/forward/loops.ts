import { type Addr, quickAddr } from "../../addr.ts";
import type { Destination } from "./destination.ts";

// How many senders are remembered; a look at each destination takes longer.
const MAX_SENDERS = 16_384;

/**
 * All destinations of the messages of a socket. What comes from one of them is
 * forwarded to none, so that two destinations cannot send a message in circles.
 */
export class Loops {
  readonly #destinations = new Set<Destination>();
  readonly #verdicts = new Map<string, boolean>();

  add(destination: Destination): void {
    this.#destinations.add(destination);
    destination.onHost = () => this.#verdicts.clear();
    this.#verdicts.clear();
  }

  delete(destination: Destination): void {
    this.#destinations.delete(destination);
    this.#verdicts.clear();
  }

  /** Whether a message is from one of the destinations. */
  has(from: Addr): boolean {
    if (!("hostname" in from)) return false;
    const { transport, hostname, port } = quickAddr(from);
    const key = `${transport} ${port} ${hostname}`;
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const verdict = this.#isFromOne(from);
    if (this.#verdicts.size >= MAX_SENDERS) this.#verdicts.clear();
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  #isFromOne(from: Addr): boolean {
    for (const destination of this.#destinations) {
      if (destination.isSource(from)) return true;
    }
    return false;
  }
}

const all = new WeakMap<object, Loops>();

/** Returns the destinations of a socket's messages, which its sinks share. */
export function loopsOf(socket: object): Loops {
  const loops = all.get(socket) ?? new Loops();
  all.set(socket, loops);
  return loops;
}

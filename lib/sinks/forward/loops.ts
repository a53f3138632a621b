import type { Addr } from "../../addr.ts";
import type { Destination } from "./destination.ts";

/**
 * All destinations of the messages of a socket. What comes from one of them is
 * forwarded to none, so that two destinations cannot send a message in circles.
 */
export class Loops {
  readonly #destinations = new Set<Destination>();

  add(destination: Destination): void {
    this.#destinations.add(destination);
  }

  delete(destination: Destination): void {
    this.#destinations.delete(destination);
  }

  /** Whether a message is from one of the destinations. */
  has(from: Addr): boolean {
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

import { formatAddress } from "../address/address.ts";
import { type Arrival, type Fate, MAX_FATES } from "./fates.ts";
import type { Passage } from "./link.ts";
import type { Path } from "./paths.ts";
import type { Decision } from "./rules.ts";

/** The fates of the datagrams that did not arrive plainly, as they were sent. */
export class FateLog {
  readonly #fates: Fate[] = [];
  #isComplete = true;

  /** A copy. */
  get fates(): Fate[] {
    return this.#fates.map(({ copy, ...fate }) =>
      copy === undefined ? fate : { ...fate, copy: { ...copy } }
    );
  }

  /** Whether there was room for all of them. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Adds the fate of a datagram, without what a rule has decided. */
  add(
    { from, to, sent: n }: Path,
    now: number,
    passages: readonly Passage[],
    decision?: Decision,
  ): void {
    if (decision?.drop) return;
    const ruledMs = decision?.delayMs ?? 0;
    const [first, second] = passages.filter(({ fate }) => fate === "passed")
      .map((passage) => arrivalOf(passage, now + ruledMs));
    if (first !== undefined && second === undefined && isPlain(first)) return;
    if (this.#fates.length === MAX_FATES) this.#isComplete = false;
    if (!this.#isComplete) return;
    this.#fates.push({
      from: formatAddress(from).replace("udp://", ""),
      to: formatAddress(to).replace("udp://", ""),
      n,
      ...(first === undefined ? { lost: true } : first),
      ...(second !== undefined && { copy: second }),
    });
  }
}

/** Whether a datagram arrives at once, in order and unchanged. */
function isPlain(arrival: Arrival): boolean {
  return Object.keys(arrival).length === 0;
}

function arrivalOf(
  { at, reordered, flippedBit }: Passage,
  sent: number,
): Arrival {
  return {
    ...(at > sent && { delayMs: at - sent }),
    ...(reordered && { reordered }),
    ...(flippedBit !== undefined && { flippedBit }),
  };
}

import { Fragments } from "./fragments.ts";
import { decodeLink } from "./link.ts";
import type { Found, Outcome } from "./outcomes.ts";
import type { Packet } from "./packet.ts";
import type { CaptureStats } from "./stats.ts";

// Every kind that there can be is far below that, but for broken files.
const MAX_KINDS = 1000;

/** Finds datagrams in packets, and counts the packets that have none. */
export class Decoder {
  readonly #stats: CaptureStats;
  readonly #fragments: Fragments;

  constructor(stats: CaptureStats) {
    this.#stats = stats;
    this.#fragments = new Fragments(stats);
  }

  /** Returns the datagram that a packet has, or completes. */
  decode(
    { data, isCut, linkType, interface: on, time }: Packet,
  ): Found | undefined {
    this.#stats.packets++;
    const part = { bytes: data, start: 0, isCut };
    return this.#count(decodeLink(linkType, part), on, time);
  }

  /** Counts the fragments that wait. */
  end(): void {
    this.#fragments.end();
  }

  #count(
    outcome: Outcome,
    on: number,
    time: bigint | undefined,
  ): Found | undefined {
    if (typeof outcome === "string") this.#stats[outcome]++;
    else if ("kind" in outcome) this.#countOther(outcome.kind);
    else if ("from" in outcome) {
      this.#stats.datagrams++;
      return outcome;
    } else if ("key" in outcome) {
      // Each interface may have seen all of them.
      const key = `${on} ${outcome.key}`;
      const whole = this.#fragments.add({ ...outcome, key }, time);
      if (whole === undefined) return undefined;
      const decoded = outcome.decode(whole);
      // A fragment of a fragment.
      const isNested = typeof decoded === "object" && "key" in decoded;
      return this.#count(isNested ? "malformed" : decoded, on, time);
    }
    return undefined;
  }

  #countOther(kind: string): void {
    const { others } = this.#stats;
    const isKnown = Object.hasOwn(others, kind);
    const name = isKnown || Object.keys(others).length < MAX_KINDS
      ? kind
      : "further kinds";
    others[name] = (others[name] ?? 0) + 1;
  }
}

import { outOfRange, wholeNumber, wrongType } from "../check.ts";
import { formatAddress } from "../address/address.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";
import type { Crossing, Passage } from "./link.ts";
import { toPlace } from "./places.ts";
import type { Decision } from "./rules.ts";

/** How a datagram, or its copy, arrives. What is not given does not happen. */
export interface Arrival {
  /** How long it takes, in milliseconds. Those behind it wait. @default {0} */
  delayMs?: number | undefined;
  /** Whether those behind it do not wait, but overtake it. @default {false} */
  reordered?: boolean | undefined;
  /** Which of its bits is flipped, counted from the first byte's lowest. */
  flippedBit?: number | undefined;
}

/** What happened to one datagram, and is to happen to it again. */
export interface Fate extends Arrival {
  /** The sender, as `10.0.0.1:53`. */
  from: string;
  /** The receiver. */
  to: string;
  /** Which datagram of that sender to that receiver, from 1. */
  n: number;
  /** Whether it does not arrive. @default {false} */
  lost?: boolean | undefined;
  /** How it arrives a second time. @default {it does not} */
  copy?: Arrival | undefined;
}

/** Fates by the way and the number of their datagrams. */
export type FatesByWay = ReadonlyMap<string, ReadonlyMap<number, Fate>>;

const ACTION = "simulate fates";
/** How many fates there may be. */
export const MAX_FATES = 100_000;
const ARRIVAL = ["delayMs", "reordered", "flippedBit"];
const FATE = ["from", "to", "n", "lost", "copy", ...ARRIVAL];

/**
 * Checks and copies fates.
 *
 * @throws {RangeError} A number is out of range, or there are too many.
 * @throws {TypeError} They are no list of fates, or a fate has a field that does
 * not exist.
 * @throws {InvalidAddressError} `from` or `to` can be the address of no socket.
 */
export function checkFates(fates: unknown): FatesByWay {
  if (!Array.isArray(fates)) throw wrongType(ACTION, "fates", "a list", fates);
  wholeNumber(ACTION, "the length of fates", fates.length, 0, MAX_FATES);
  const ways = new Map<string, Map<number, Fate>>();
  for (const [index, given] of fates.entries()) {
    const name = `fates[${index}]`;
    const fate = checkFate(name, given);
    for (const from of addressesOf(`${name}.from`, fate.from)) {
      for (const to of addressesOf(`${name}.to`, fate.to)) {
        const way = `${from} ${to}`;
        ways.set(way, (ways.get(way) ?? new Map()).set(fate.n, fate));
      }
    }
  }
  return ways;
}

/** A link on which each datagram has a given fate, or arrives at once. */
export class FatedLink implements Crossing {
  readonly #fates: ReadonlyMap<number, Fate>;
  #crossed = 0;
  #lastArrival = 0;

  constructor(fates: ReadonlyMap<number, Fate> = new Map()) {
    this.#fates = fates;
  }

  /** The fates stand for all faults. */
  use(): void {}

  cross(
    size: number,
    now: number,
    decision?: Decision,
  ): [Passage, ...Passage[]] {
    const fate: Partial<Fate> = this.#fates.get(++this.#crossed) ?? {};
    if (decision?.drop) return [{ fate: "dropped", at: now }];
    if (fate.lost) return [{ fate: "lost", at: now }];
    const cross = (arrival: Arrival) =>
      this.#cross(size, now, arrival, decision?.delayMs ?? 0);
    const copy = fate.copy ?? (decision?.duplicate ? fate : undefined);
    const first = cross(fate);
    return copy === undefined ? [first] : [first, cross(copy)];
  }

  #cross(
    size: number,
    now: number,
    { delayMs = 0, reordered = false, flippedBit }: Arrival,
    ruledMs: number,
  ): Passage {
    let at = now + delayMs + ruledMs;
    if (!reordered && ruledMs === 0) {
      this.#lastArrival = at = Math.max(at, this.#lastArrival);
    }
    return {
      fate: "passed",
      at,
      ...(flippedBit !== undefined && flippedBit < size * 8 && { flippedBit }),
      ...(reordered && { reordered }),
    };
  }
}

function checkFate(name: string, given: unknown): Fate {
  const { from, to, n, lost, copy } = fieldsIn(name, given, FATE);
  return {
    from: text(`${name}.from`, from),
    to: text(`${name}.to`, to),
    n: wholeNumber(ACTION, `${name}.n`, n, 1),
    lost: flag(`${name}.lost`, lost),
    ...checkArrival(name, given),
    ...(copy !== undefined && {
      copy: checkArrival(
        `${name}.copy`,
        fieldsIn(`${name}.copy`, copy, ARRIVAL),
      ),
    }),
  };
}

function checkArrival(name: string, given: unknown): Arrival {
  const { delayMs = 0, reordered, flippedBit } = given as Record<
    string,
    unknown
  >;
  if (typeof delayMs !== "number" || !(delayMs >= 0 && delayMs < Infinity)) {
    const wanted = "a finite number from 0";
    throw outOfRange(ACTION, `${name}.delayMs`, wanted, delayMs);
  }
  return {
    delayMs,
    reordered: flag(`${name}.reordered`, reordered),
    ...(flippedBit !== undefined && {
      flippedBit: wholeNumber(ACTION, `${name}.flippedBit`, flippedBit, 0),
    }),
  };
}

function fieldsIn(
  name: string,
  given: unknown,
  names: readonly string[],
): Record<string, unknown> {
  if (typeof given !== "object" || given === null) {
    throw wrongType(ACTION, name, "an object", given);
  }
  const fields: Record<string, unknown> = { ...given };
  const other = Object.keys(fields).find((field) => !names.includes(field));
  if (other === undefined) return fields;
  const why = `${name} has ${names.join(", ")}: given ${quote(other)}`;
  throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? false;
  throw wrongType(ACTION, name, "true or false", value);
}

function text(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw wrongType(ACTION, name, "an address, as 10.0.0.1:53", value);
}

/** Returns the addresses that a text names; `localhost` is two. */
function addressesOf(name: string, address: string): string[] {
  const { hosts, port } = toPlace(address, "simulate");
  if (port === undefined) {
    throw outOfRange(ACTION, name, "a host and a port", address);
  }
  return hosts.map((hostname) =>
    formatAddress({ transport: "udp", hostname, port })
  );
}

import { copyAddr, type NetAddr } from "../addr.ts";
import {
  outOfRange,
  requireFunction,
  shown,
  wholeNumber,
  wrongType,
} from "../check.ts";
import { Datagram } from "../datagram.ts";
import { cannot, fieldsOf, withFields } from "../errors.ts";
import { ignoreRejection, isThenable } from "../promises.ts";
import { encode, isBytes } from "../socket/messages.ts";

/**
 * A datagram that a rule is asked about. It is a copy: changing it has no effect.
 */
export interface RuledDatagram extends Datagram<NetAddr> {
  /** The address that it was sent to. */
  readonly to: NetAddr;
}

/**
 * What a rule decides about a datagram:
 *
 * - `"drop"`: it does not arrive.
 * - `"duplicate"`: it arrives twice.
 * - `{ delayMs }`: it takes so many milliseconds more, and later ones may
 *   overtake it.
 * - `{ data }`: it has other bytes. Both may be given together.
 * - nothing: the next rule is asked.
 *
 * The faults then apply to whatever is not dropped.
 */
export type Verdict =
  | "drop"
  | "duplicate"
  | { delayMs?: number | undefined; data?: string | Uint8Array | undefined }
  | undefined;

/**
 * Decides about single datagrams.
 *
 * @param n How many datagrams this rule has been asked about, from 1.
 */
export type Rule = (datagram: RuledDatagram, n: number) => Verdict | void;

/** What a rule has decided, checked. */
export interface Decision {
  readonly drop?: boolean;
  readonly duplicate?: boolean;
  readonly delayMs?: number;
  readonly data?: Uint8Array;
}

const ACTION = "apply a rule";
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;

interface Entry<Way> {
  readonly rule: Rule;
  readonly applies: (way: Way) => boolean;
  asked: number;
  isRemoved: boolean;
}

/** The rules of a network or of a relay, in the order in which they were added. */
export class Rules<Way> {
  // Replaced at each change: a rule may add and remove rules while it is asked.
  #entries: readonly Entry<Way>[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /**
   * Adds a rule.
   *
   * @param applies Whether it is asked about datagrams that go that way.
   * @returns Removes the rule when it is disposed.
   * @throws {TypeError} The rule is no function.
   */
  add(rule: Rule, applies: (way: Way) => boolean): Disposable {
    requireFunction("add a rule", "rule", rule);
    const entry = { rule, applies, asked: 0, isRemoved: false };
    this.#entries = [...this.#entries, entry];
    return {
      [Symbol.dispose]: () => {
        entry.isRemoved = true;
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  /**
   * Asks the rules about a datagram, until one decides.
   *
   * @throws What a rule throws.
   * @throws {TypeError | RangeError} A rule has returned something else than a
   * verdict.
   */
  ask(
    way: Way,
    { data, from, to }: { data: Uint8Array; from: NetAddr; to: NetAddr },
  ): Decision | undefined {
    for (const entry of this.#entries) {
      if (entry.isRemoved || !entry.applies(way)) continue;
      const copy = new Datagram(new Uint8Array(data), copyAddr(from));
      const { rule } = entry;
      const datagram = Object.assign(copy, { to: copyAddr(to) });
      const verdict: unknown = rule(datagram, ++entry.asked);
      if (verdict !== undefined) return decisionOf(verdict, to);
    }
    return undefined;
  }
}

/** Checks what a rule has returned, and copies it. */
function decisionOf(verdict: unknown, to: NetAddr): Decision {
  if (verdict === "drop") return { drop: true };
  if (verdict === "duplicate") return { duplicate: true };
  if (typeof verdict !== "object" || verdict === null) throw nonsense(verdict);
  if (isThenable(verdict)) {
    ignoreRejection(verdict);
    throw nonsense(verdict);
  }
  const { delayMs, data, ...others }: Record<string, unknown> = { ...verdict };
  if (Object.keys(others).length > 0) throw nonsense(verdict);
  if (delayMs === undefined && data === undefined) throw nonsense(verdict);
  return {
    ...(delayMs !== undefined && { delayMs: checkDelay(delayMs) }),
    ...(data !== undefined && { data: checkData(data, to) }),
  };
}

function checkDelay(ms: unknown): number {
  if (typeof ms === "number" && ms >= 0 && ms < Infinity) return ms;
  throw outOfRange(ACTION, "delayMs", "a finite number from 0", ms);
}

function checkData(data: unknown, { hostname }: NetAddr): Uint8Array {
  const bytes = encode(data as string | Uint8Array);
  if (!isBytes(bytes)) {
    throw wrongType(ACTION, "data", "a string or a Uint8Array", data);
  }
  const copy = new Uint8Array(bytes);
  const most = hostname.includes(":") ? MAX_SIZE_IPV6 : MAX_SIZE_IPV4;
  wholeNumber(ACTION, "the length of data", copy.length, 0, most);
  return copy;
}

function nonsense(verdict: unknown): TypeError {
  const wanted = '"drop", "duplicate", { delayMs }, { data } or nothing';
  const why = `it must return ${wanted}: given ${shown(verdict)}`;
  return withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
}

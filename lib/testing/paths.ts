import type { NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { wrongType } from "../check.ts";
import { cannot, fieldsOf, quote, withFields } from "../errors.ts";
import {
  type CheckedFaults,
  checkFaults,
  checkGiven,
  type Faults,
} from "./faults.ts";
import { FatedLink, type FatesByWay } from "./fates.ts";
import { type Crossing, Link, seedOf } from "./link.ts";
import { includes, type Place, simulatedHost, toPlace } from "./places.ts";

/**
 * One direction between two addresses, each a host (`10.0.0.1`) or a host and a
 * port (`10.0.0.1:53`).
 */
export interface Direction {
  /** The sender. @default {all} */
  from?: string | undefined;
  /** The receiver. @default {all} */
  to?: string | undefined;
}

/** One direction between two addresses that have exchanged something. */
export interface Path {
  readonly from: NetAddr;
  readonly to: NetAddr;
  readonly link: Crossing;
  faults: CheckedFaults;
  /** How many datagrams were sent that way. */
  sent: number;
}

const ACTION = "set faults";

/** A direction, checked. */
export interface Route {
  readonly from: Place | undefined;
  readonly to: Place | undefined;
}

/** The faults that were set in one direction. */
interface Setting extends Route {
  readonly key: string;
  readonly faults: Partial<CheckedFaults>;
}

/** The links between all addresses of a network, and its partitions. */
export class Paths {
  readonly #seed: number;
  readonly #fates: FatesByWay | undefined;
  readonly #paths = new Map<string, Path>();
  // The paths by addresses as senders spell them.
  readonly #spelled = new Map<string, Path>();
  #settings: Setting[] = [];
  #partitions: (readonly [Place, Place])[] = [];

  /** @param fates What happens instead of the faults, if given. */
  constructor(seed: number, faults: Faults, fates?: FatesByWay) {
    this.#seed = seed;
    this.#fates = fates;
    this.set(faults);
  }

  /** Returns the path; what its link decides depends on the seed and the addresses. */
  between(from: NetAddr, to: NetAddr): Path {
    const spelling = `${formatAddress(from)} ${formatAddress(to)}`;
    let path = this.#spelled.get(spelling);
    if (path === undefined) {
      const hostname = simulatedHost(to.hostname, from.hostname);
      path = this.#path(from, { ...to, hostname });
      this.#spelled.set(spelling, path);
    }
    return path;
  }

  /** Later settings win over earlier ones, fault by fault. */
  set(faults: Faults, direction?: Direction): void {
    const checked = checkGiven(faults);
    const route = toRoute(direction, "set");
    const key = JSON.stringify([route.from, route.to]);
    const before = this.#settings.find((other) => other.key === key)?.faults;
    this.#settings = this.#settings.filter((other) => other.key !== key);
    this.#settings.push({ key, ...route, faults: { ...before, ...checked } });
    for (const path of this.#paths.values()) {
      path.faults = this.#faultsOf(path.from, path.to);
      path.link.use(path.faults);
    }
  }

  partition(a: string, b: string): void {
    this.#partitions.push([toPlace(a, "partition"), toPlace(b, "partition")]);
  }

  heal(a?: string, b?: string): void {
    const places = [a, b].map((place) =>
      place === undefined ? undefined : toPlace(place, "heal")
    );
    this.#partitions = this.#partitions.filter((ends) =>
      !areEnds(places, ends)
    );
  }

  isParted({ from, to }: Path): boolean {
    return this.#partitions.some(([a, b]) =>
      includes(a, from) && includes(b, to) ||
      includes(b, from) && includes(a, to)
    );
  }

  #path(from: NetAddr, to: NetAddr): Path {
    const key = `${formatAddress(from)} ${formatAddress(to)}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      const faults = this.#faultsOf(from, to);
      const link = this.#fates === undefined
        ? new Link(seedOf(this.#seed, key))
        : new FatedLink(this.#fates.get(key));
      link.use(faults);
      path = { from, to, link, faults, sent: 0 };
      this.#paths.set(key, path);
    }
    return path;
  }

  #faultsOf(from: NetAddr, to: NetAddr): CheckedFaults {
    const settings = this.#settings.filter((one) => isOn(one, { from, to }));
    return Object.assign(
      checkFaults({}),
      ...settings.map(({ faults }) => faults),
    );
  }
}

/**
 * Checks a direction.
 *
 * @param operation What it is given to, for the errors.
 * @throws {TypeError} It is not a direction.
 * @throws {InvalidAddressError} `from` or `to` can be the address of no socket.
 */
export function toRoute(
  direction: Direction | undefined,
  operation: string,
): Route {
  if (direction !== undefined) checkDirection(direction);
  const [from, to] = [direction?.from, direction?.to].map((place) =>
    place === undefined ? undefined : toPlace(place, operation)
  );
  return { from, to };
}

/** Whether datagrams from that address to the other one go that way. */
export function isOn(
  route: Route,
  { from, to }: { readonly from: NetAddr; readonly to: NetAddr },
): boolean {
  return (route.from === undefined || includes(route.from, from)) &&
    (route.to === undefined || includes(route.to, to));
}

/** A name that is not one of a direction's would stand for all addresses. */
function checkDirection(direction: unknown): void {
  if (typeof direction !== "object" || direction === null) {
    throw wrongType(ACTION, "direction", "an object", direction);
  }
  for (const name of Object.keys(direction)) {
    if (name === "from" || name === "to") continue;
    const why = `a direction has "from" and "to": given ${quote(name)}`;
    throw withFields(new TypeError(cannot(ACTION, why)), fieldsOf(ACTION));
  }
}

/** Whether the places that are given include the ends of a partition. */
function areEnds(
  [a, b]: readonly (Place | undefined)[],
  [x, y]: readonly [Place, Place],
): boolean {
  const match = (place: Place | undefined, end: Place) =>
    place === undefined || includes(place, end);
  return match(a, x) && match(b, y) || match(a, y) && match(b, x);
}

import type { NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import {
  type CheckedFaults,
  checkFaults,
  type Faults,
  Link,
  seedOf,
} from "./faults.ts";

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
  from: NetAddr;
  to: NetAddr;
  link: Link;
  faults: CheckedFaults;
}

/** The links between all addresses of a network, and its partitions. */
export class Paths {
  readonly #seed: number;
  readonly #paths = new Map<string, Path>();
  #rules: (Direction & { faults: Faults })[] = [];
  #partitions: { a: string; b: string }[] = [];

  constructor(seed: number, faults: Faults) {
    this.#seed = seed;
    this.set(faults);
  }

  /** Returns the path; what its link decides depends on the seed and the addresses. */
  between(from: NetAddr, to: NetAddr): Path {
    const key = `${formatAddress(from)} ${formatAddress(to)}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      const faults = this.#faultsOf(from, to);
      path = {
        from,
        to,
        link: new Link(seedOf(this.#seed, key), faults),
        faults,
      };
      this.#paths.set(key, path);
    }
    return path;
  }

  /** Adds a rule. Later rules win over earlier ones, fault by fault. */
  set(faults: Faults, { from, to }: Direction = {}): void {
    checkFaults(faults);
    const same = (rule: Direction) => rule.from === from && rule.to === to;
    const before = this.#rules.find(same)?.faults;
    this.#rules = this.#rules.filter((rule) => !same(rule));
    this.#rules.push({ from, to, faults: { ...before, ...faults } });
    for (const path of this.#paths.values()) {
      path.faults = this.#faultsOf(path.from, path.to);
      path.link.set(path.faults);
    }
  }

  partition(a: string, b: string): void {
    this.#partitions.push({ a, b });
  }

  heal(a?: string, b?: string): void {
    this.#partitions = a === undefined
      ? []
      : this.#partitions.filter((parted) =>
        !(parted.a === a && parted.b === b) &&
        !(parted.a === b && parted.b === a)
      );
  }

  isParted({ from, to }: Path): boolean {
    return this.#partitions.some(({ a, b }) =>
      names(a, from) && names(b, to) || names(b, from) && names(a, to)
    );
  }

  #faultsOf(from: NetAddr, to: NetAddr): CheckedFaults {
    const rules = this.#rules.filter((rule) =>
      names(rule.from, from) && names(rule.to, to)
    );
    return checkFaults(Object.assign({}, ...rules.map((rule) => rule.faults)));
  }
}

/** Whether an address is meant by a host, or a host and port. */
function names(place: string | undefined, address: NetAddr): boolean {
  return place === undefined || place === address.hostname ||
    place.replace(/^udp:\/\//, "") ===
      formatAddress(address).slice("udp://".length);
}

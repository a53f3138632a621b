import { formatAddress } from "../address/address.ts";
import type { Outgoing } from "../carrier.ts";

/** What is sent at once: a message, or a batch. It stands for itself in a lane. */
export type Load = Outgoing | readonly Outgoing[];

/** The place of a load in the lanes of its peers. */
interface Place {
  readonly keys: readonly string[];
  readonly isBatch: boolean;
  /** In how many of these lanes others are before it. */
  ahead: number;
  isUnderWay: boolean;
  /** Called when its turn has come, or when it was withdrawn. */
  readonly go: (isTurn: boolean) => void;
}

/**
 * The order of a socket's sends. To each peer one send is under way at a time,
 * in the order of the calls: Deno keeps no order among sends that overlap, and
 * on a fresh socket it reverses them. A batch is in the lanes of all its peers.
 * It waits only for what was called before to one of them, and only later sends
 * to them wait for it: a peer whose sends take long holds up no other. One batch
 * is under way at a time.
 */
export class Lanes {
  // Usually one load is under way and none waits; that one needs no lane.
  #only: Load | undefined;
  // The first place in each lane is under way, or waits in another lane.
  readonly #lanes = new Map<string, Place[]>();
  readonly #places = new Map<Load, Place>();
  readonly #readyBatches: Place[] = [];
  #isBatching = false;

  /** Enters at once, if nothing at all is under way. @returns Whether it entered. */
  tryEnter(load: Load): boolean {
    if (this.#only !== undefined || this.#lanes.size > 0) return false;
    this.#only = load;
    if (isBatch(load)) this.#isBatching = true;
    return true;
  }

  /**
   * Takes a place in the lanes of its peers, and waits for its turn.
   *
   * @returns Whether it is its turn: not if it was withdrawn.
   */
  enter(load: Load): Promise<boolean> {
    if (this.#only !== undefined) {
      this.#add(this.#only, () => {}).isUnderWay = true;
      this.#only = undefined;
    }
    return new Promise((go) => {
      const place = this.#add(load, go);
      if (place.ahead === 0) this.#start(place);
    });
  }

  /** Ends its turn: the next ones in its lanes have theirs. */
  leave(load: Load): void {
    if (isBatch(load)) {
      const next = this.#readyBatches.shift();
      this.#isBatching = next !== undefined;
      if (next !== undefined) go(next);
    }
    if (this.#only === load) this.#only = undefined;
    else this.#remove(load);
  }

  /** Gives up a place. This has no effect on a load that is under way. */
  withdraw(load: Load): void {
    const place = this.#places.get(load);
    if (place === undefined || place.isUnderWay) return;
    const index = this.#readyBatches.indexOf(place);
    if (index >= 0) this.#readyBatches.splice(index, 1);
    this.#remove(load);
    place.go(false);
  }

  /** Ends every wait: each load finds the socket closed. */
  close(): void {
    const places = [...this.#places.values()];
    this.#places.clear();
    this.#lanes.clear();
    this.#readyBatches.length = 0;
    for (const place of places) place.go(true);
  }

  #add(load: Load, go: (isTurn: boolean) => void): Place {
    const place: Place = {
      keys: keysOf(load),
      isBatch: isBatch(load),
      ahead: 0,
      isUnderWay: false,
      go,
    };
    this.#places.set(load, place);
    for (const key of place.keys) {
      const lane = this.#lanes.get(key);
      if (lane === undefined) this.#lanes.set(key, [place]);
      else {
        lane.push(place);
        place.ahead++;
      }
    }
    return place;
  }

  #start(place: Place): void {
    if (!place.isBatch) go(place);
    else if (this.#isBatching) this.#readyBatches.push(place);
    else {
      this.#isBatching = true;
      go(place);
    }
  }

  #remove(load: Load): void {
    const place = this.#places.get(load);
    if (place === undefined) return;
    this.#places.delete(load);
    for (const key of place.keys) {
      const lane = this.#lanes.get(key) ?? [];
      const index = lane.indexOf(place);
      lane.splice(index, 1);
      const [next] = lane;
      if (next === undefined) this.#lanes.delete(key);
      else if (index === 0 && --next.ahead === 0) this.#start(next);
    }
  }
}

function go(place: Place): void {
  place.isUnderWay = true;
  place.go(true);
}

function isBatch(load: Load): load is readonly Outgoing[] {
  return !("to" in load);
}

function keysOf(load: Load): string[] {
  return isBatch(load)
    ? [...new Set(load.map(({ to }) => formatAddress(to)))]
    : [formatAddress(load.to)];
}

interface Entry<T> {
  readonly at: number;
  /** Entries of one time leave in the order in which they were added. */
  readonly order: number;
  readonly item: T;
}

/** Items by their times, the earliest first: a binary heap. */
export class Timeline<T> {
  #heap: Entry<T>[] = [];
  #added = 0;

  /** How many items it holds. */
  get length(): number {
    return this.#heap.length;
  }

  /** The time of the earliest item; `Infinity` if there is none. */
  get next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Adds an item. */
  add(item: T, at: number): void {
    const entry = { at, order: this.#added++, item };
    const heap = this.#heap;
    let index = heap.length;
    for (;;) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Removes the earliest item and returns it with its time. */
  take(): { at: number; item: T } | undefined {
    const heap = this.#heap;
    const earliest = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return earliest;
    let index = 0;
    for (;;) {
      const child = this.#earlierChild(index);
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return earliest;
  }

  /** Removes all items that a function does not want. */
  keep(isWanted: (item: T) => boolean): void {
    const wanted = this.#heap.filter(({ item }) => isWanted(item));
    // Sorted entries are a heap.
    wanted.sort((a, b) => isBefore(a, b) ? -1 : 1);
    this.#heap = wanted;
  }

  /** Removes all items and returns them, the earliest first. */
  clear(): T[] {
    const entries = this.#heap.splice(0);
    return entries.sort((a, b) => isBefore(a, b) ? -1 : 1)
      .map(({ item }) => item);
  }

  #earlierChild(index: number): number {
    const left = this.#heap[2 * index + 1];
    const right = this.#heap[2 * index + 2];
    return left !== undefined && right !== undefined && isBefore(right, left)
      ? 2 * index + 2
      : 2 * index + 1;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}

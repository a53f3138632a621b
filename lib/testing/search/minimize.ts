/**
 * Finds a shortest part of a list that still fails: without any one of its items
 * it does not. This is the algorithm ddmin (Zeller and Hildebrandt, 2002).
 *
 * @param items A list that fails.
 * @param fails Whether a part of it fails. What it throws is thrown.
 */
export async function minimize<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length === 0 || await fails([])) return [];
  let least = items;
  let parts = 2;
  while (least.length > 1) {
    const part = await firstOf(partsOf(least, parts), fails);
    // Of two parts, each is what is left without the other.
    const rest = part !== undefined || parts === 2
      ? undefined
      : await firstOf(restsOf(least, parts), fails);
    if (part !== undefined) {
      least = part;
      parts = 2;
    } else if (rest !== undefined) {
      least = rest;
      parts = Math.max(parts - 1, 2);
    } else if (parts >= least.length) break;
    else parts = Math.min(parts * 2, least.length);
  }
  return least;
}

async function firstOf<T>(
  candidates: Iterable<readonly T[]>,
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (const candidate of candidates) {
    if (await fails(candidate)) return candidate;
  }
  return undefined;
}

/** Divides a list into parts of about the same length. */
function* partsOf<T>(items: readonly T[], parts: number): Generator<T[]> {
  for (let n = 0; n < parts; n++) {
    yield items.slice(placeOf(n, items, parts), placeOf(n + 1, items, parts));
  }
}

/** Returns what is left without each of these parts. */
function* restsOf<T>(items: readonly T[], parts: number): Generator<T[]> {
  for (let n = 0; n < parts; n++) {
    yield items.toSpliced(
      placeOf(n, items, parts),
      placeOf(n + 1, items, parts) - placeOf(n, items, parts),
    );
  }
}

/** Where a part begins. */
function placeOf(
  n: number,
  { length }: readonly unknown[],
  parts: number,
): number {
  return Math.floor(n * length / parts);
}

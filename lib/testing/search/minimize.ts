/**
 * Finds a shortest part of a list that still fails: without any one of its items
 * it does not. This is the algorithm ddmin (Zeller and Hildebrandt, 2002).
 *
 * @param items A list that fails.
 * @param fails Whether a part of it fails; `false` also if nothing more can be
 * tried.
 */
export async function minimize<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length === 0 || await fails([])) return [];
  let least = items;
  let parts = 2;
  while (least.length > 1) {
    const pieces = split(least, parts);
    const piece = await firstOf(pieces, fails);
    if (piece) {
      least = piece;
      parts = 2;
      continue;
    }
    // Of two parts, each is what is left without the other.
    const rests = parts === 2
      ? []
      : pieces.map((piece) => least.filter((item) => !piece.includes(item)));
    const rest = await firstOf(rests, fails);
    if (rest) {
      least = rest;
      parts = Math.max(parts - 1, 2);
    } else if (parts >= least.length) break;
    else parts = Math.min(parts * 2, least.length);
  }
  return least;
}

async function firstOf<T>(
  candidates: readonly (readonly T[])[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (const candidate of candidates) {
    if (await fails(candidate)) return candidate;
  }
  return undefined;
}

/** Divides a list into parts of about the same length. */
function split<T>(items: readonly T[], parts: number): T[][] {
  return Array.from({ length: parts }, (_, n) =>
    items.slice(
      Math.floor(n * items.length / parts),
      Math.floor((n + 1) * items.length / parts),
    ));
}

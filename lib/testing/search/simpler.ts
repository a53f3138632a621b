import type { Arrival, Fate } from "../fates.ts";

/** Returns simpler fates to try instead of one, the simplest first. */
export function simplerFates(fate: Fate): Fate[] {
  const { from, to, n, lost, copy, ...arrival } = fate;
  const datagram = { from, to, n };
  if (lost) return [];
  const simpler = simplerArrivals(arrival);
  if (copy === undefined) {
    return simpler.map((arrival) => ({ ...datagram, ...arrival }));
  }
  return [
    { ...datagram, ...arrival },
    { ...datagram, ...copy },
    ...simpler.map((arrival) => ({ ...datagram, ...arrival, copy })),
    ...simplerArrivals(copy).map((copy) => ({ ...datagram, ...arrival, copy })),
  ];
}

/** Leaves out one thing after another. */
function simplerArrivals(arrival: Arrival): Arrival[] {
  return Object.keys(arrival).map((name) => {
    const { [name as keyof Arrival]: _, ...others } = arrival;
    return others;
  });
}

/** Finds the shortest delays, in whole milliseconds, by halving. */
export async function withShortDelays(
  fate: Fate,
  fails: (fate: Fate) => Promise<boolean>,
): Promise<Fate> {
  const own = await shortest(
    fate.delayMs,
    (delayMs) => fails({ ...fate, delayMs }),
  );
  const found = own === undefined ? fate : { ...fate, delayMs: own };
  const { copy } = found;
  const other = await shortest(
    copy?.delayMs,
    (delayMs) => fails({ ...found, copy: { ...copy, delayMs } }),
  );
  return other === undefined
    ? found
    : { ...found, copy: { ...copy, delayMs: other } };
}

/** @returns `undefined` if there is none, or a whole number does not fail. */
async function shortest(
  delayMs: number | undefined,
  fails: (delayMs: number) => Promise<boolean>,
): Promise<number | undefined> {
  if (delayMs === undefined) return undefined;
  let failing = Math.ceil(delayMs);
  if (failing !== delayMs && !await fails(failing)) return undefined;
  let passing = 0;
  while (failing - passing > 1) {
    const middle = Math.floor((passing + failing) / 2);
    if (await fails(middle)) failing = middle;
    else passing = middle;
  }
  return failing;
}

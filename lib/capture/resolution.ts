const BILLION = 1_000_000_000n;

/** Turns the time stamps of an interface into nanoseconds since 1970. */
export type ToNanoseconds = (stamp: bigint) => bigint;

/**
 * Returns how an interface counts time.
 *
 * @param resolution `if_tsresol`: units of 10^-n seconds, or with the highest bit
 * of 2^-n seconds.
 * @param offset `if_tsoffset`: the seconds that are added.
 */
export function toNanoseconds(
  resolution = 6,
  offset = 0n,
): ToNanoseconds {
  const added = offset * BILLION;
  const power = BigInt(resolution & 0x7f);
  if (resolution >= 0x80) {
    return (stamp) => ((stamp * BILLION) >> power) + added;
  }
  if (power <= 9n) {
    const factor = 10n ** (9n - power);
    return (stamp) => stamp * factor + added;
  }
  const divisor = 10n ** (power - 9n);
  return (stamp) => stamp / divisor + added;
}

/**
 * Adds up words of 2 bytes, the last one filled with 0: RFC 1071.
 *
 * @param sum What was added up before.
 */
export function addWords(bytes: Uint8Array, sum = 0): number {
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += bytes[i]! << 8 | bytes[i + 1]!;
  // At most 2^16 words of 2^16 each: far from the limit of whole numbers.
  return even < bytes.length ? sum + (bytes[even]! << 8) : sum;
}

/** Returns the checksum for a sum of words. */
export function checksumOf(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

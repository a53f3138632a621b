/**
 * Writes a datagram into a receiver's buffer, cut to its length, as Deno's own
 * sockets do. Without a buffer it is copied to memory of its own.
 *
 * @returns The part of the buffer that was written.
 */
export function fill(
  buffer: Uint8Array<ArrayBuffer> | undefined,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const target = buffer ?? new Uint8Array(data.length);
  const size = Math.min(data.length, target.length);
  target.set(data.subarray(0, size));
  return target.subarray(0, size);
}

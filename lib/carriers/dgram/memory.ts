import { CopyPool } from "../../copy_pool.ts";
import { globals } from "../../runtime.ts";

// Memory that is much longer than its datagram is not kept: Deno receives each
// into 64 KiB.
const MAX_SLACK = 512;

/**
 * Returns a function that makes the bytes of a message of `node:dgram` a program's
 * own: an array that is no `Buffer`, in memory that nothing else uses and that is
 * about as long.
 */
export function ownership(): (
  received: Uint8Array,
) => Uint8Array<ArrayBuffer> {
  if (globals.Bun !== undefined) return noBuffer;
  const pool = new CopyPool();
  return (received) => {
    const slack = received.buffer.byteLength - received.length;
    return slack > MAX_SLACK ? pool.copy(received) : view(received);
  };
}

/** On Bun each message has memory of its length, and making a view is slow. */
function noBuffer(received: Uint8Array): Uint8Array<ArrayBuffer> {
  return Object.setPrototypeOf(received, Uint8Array.prototype);
}

function view(received: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = received as Uint8Array<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, length);
}

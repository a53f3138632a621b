import type { Addr } from "./addr.ts";
// A message keeps a leading U+FEFF: what was sent is what is read.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What one receive gives: one datagram, whole unless it says otherwise. */
export class Datagram<A extends Addr = Addr> {
  /**
   * The bytes, at most the socket's `maxSize`. They are yours: no later receive
   * changes them. Small ones are views into a shared buffer, so copy
   * (`data.slice()`) before you transfer `data.buffer` to a worker.
   */
  readonly data: Uint8Array<ArrayBuffer>;
  /**
   * The peer that it came from, as the datagram says: over UDP a sender can
   * forge it. An IPv4 peer of an IPv6 socket shows as `::ffff:a.b.c.d`; the
   * zone of a link-local peer is missing. An unnamed `unix:` peer has the path
   * `null`.
   */
  readonly from: A;
  /** Whether the datagram was longer than the socket's `maxSize`, and so cut. */
  readonly truncated: boolean;

  /** Programs get datagrams from a socket; carriers and tests may make them. */
  constructor(data: Uint8Array<ArrayBuffer>, from: A, truncated = false) {
    this.data = data;
    this.from = from;
    this.truncated = truncated;
  }

  /**
   * The bytes as UTF-8 text, with U+FFFD for what is not UTF-8. It may hold
   * anything that the sender liked: pass it through `escapeControls` before it
   * goes to a terminal.
   */
  text(): string {
    return decoder.decode(this.data);
  }
}

import { type Addr, copyAddr } from "./addr.ts";
import type { Metadata } from "./carrier.ts";
import { wrongType } from "./check.ts";

// A message keeps a leading U+FEFF: the text is read as it was sent.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A received datagram: complete, unless it is marked `truncated`. */
export class Datagram<A extends Addr = Addr> implements Metadata {
  /**
   * The bytes, at most the socket's `maxSize`. They belong to the program: no
   * later receive changes them. Those of small datagrams are views into a shared
   * buffer, so copy them (`data.slice()`) before you transfer `data.buffer` to a
   * worker.
   */
  readonly data: Uint8Array<ArrayBuffer>;
  /**
   * The address of the sender, as the datagram states it: over UDP a sender can
   * forge it. An IPv4 peer of an IPv6 socket has the address `::ffff:a.b.c.d`;
   * the zone of a link-local peer is missing. An unnamed `unix:` peer has the
   * path `null`.
   */
  readonly from: A;
  /** Whether the datagram was longer than the socket's `maxSize` and was cut. */
  readonly truncated: boolean;
  /**
   * The local address that it was sent to, if the carrier tells it: `offload`
   * does for a socket at `0.0.0.0` or `[::]`. Of a datagram to a group it is the
   * group's.
   */
  declare readonly to?: Addr | undefined;
  /** The two ECN bits of its IP header (RFC 3168), if the carrier tells them. */
  declare readonly ecn?: 0 | 1 | 2 | 3 | undefined;
  /**
   * When the system received it, in milliseconds since 1970, if the carrier tells
   * it. Datagrams that the system delivers as one run have one time.
   */
  declare readonly time?: number | undefined;

  /** Makes a datagram: for tests. Programs get theirs from a socket. */
  constructor(
    data: Uint8Array<ArrayBuffer>,
    from: A,
    truncated = false,
    metadata?: Metadata,
  ) {
    this.data = data;
    this.from = from;
    this.truncated = truncated;
    // Most have none, and no properties for it.
    if (metadata === undefined) return;
    const { to, ecn, time } = metadata;
    // Of its own: the program may change it.
    if (to !== undefined) this.to = copyAddr(to);
    if (ecn !== undefined) this.ecn = ecn;
    if (time !== undefined) this.time = time;
  }

  /**
   * Returns the bytes as UTF-8 text, with U+FFFD in place of bytes that are not
   * UTF-8. The text is as the sender chose it: pass it through `escapeControls`
   * before you print it on a terminal.
   */
  text(): string {
    if (!ArrayBuffer.isView(this.data)) {
      throw wrongType("read a text", "data", "a Uint8Array", this.data);
    }
    return decoder.decode(this.data);
  }
}

/** Returns a copy, so that changing one datagram has no effect on the other. */
export function copyDatagram<A extends Addr>(
  datagram: Datagram<A>,
): Datagram<A> {
  const { data, from, truncated } = datagram;
  return new Datagram(data.slice(), copyAddr(from), truncated, datagram);
}

import type { Addr } from "../../addr.ts";
import type { Outgoing, SentBatch } from "../../carrier.ts";
import {
  EAGAIN,
  ECONNREFUSED,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  type Libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOL_UDP,
  systemError,
  UDP_SEGMENT,
} from "./libc.ts";
import { unusable } from "./metadata.ts";
import type { Peers } from "./peers.ts";
import { addressOf, Slots } from "./slots.ts";
import type { Sockaddr } from "./sockaddr.ts";

const SLOTS = 16;
// UDP_MAX_SEGMENTS of kernels since 6.9, and of older ones.
const MAX_SEGMENTS = 128;
const MAX_SEGMENTS_BEFORE = 64;
// The largest run in bytes: the kernel checks its length as that of a single
// datagram before it cuts it.
const MAX_RUN = 65_000;
// Shorter data may lie in the garbage collector's heap, and be moved.
const MIN_IN_PLACE = 4096;
const FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** Hands datagrams to the kernel: `sendmmsg` and `UDP_SEGMENT`. */
export class Sender {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #peers: Peers;
  // For each slot, the index of the message after its last one.
  readonly #ends: number[] = [];
  // Of the last batch that failed.
  #errno = 0;
  #maxSegments = MAX_SEGMENTS;
  // The longest datagrams that the device segments; 0 if it segments none.
  #largestSegment = MAX_RUN;
  // An error that belongs to a datagram whose send has resolved already.
  #late: Error | undefined;

  constructor(libc: Libc, fd: number, peers: Peers) {
    this.#libc = libc;
    this.#fd = fd;
    this.#peers = peers;
  }

  /** Whether there is an error that belongs to a send that has resolved. */
  get isLate(): boolean {
    return this.#late !== undefined;
  }

  /** Returns that error, once. */
  takeLate(): Error | undefined {
    const late = this.#late;
    this.#late = undefined;
    return late;
  }

  /**
   * Sends one datagram, if a single call does it.
   *
   * @param sockaddr The peer; `null` on a connected socket.
   * @returns Whether it was sent. If not, `send` reports why.
   */
  sendOne(data: Uint8Array, sockaddr: Sockaddr | null): boolean {
    const sent = this.#libc.sendto(
      this.#fd,
      data as Uint8Array<ArrayBuffer>,
      BigInt(data.length),
      FLAGS,
      sockaddr,
      sockaddr?.length ?? 0,
    );
    if (sent >= 0n) return true;
    const errno = this.#libc.errno();
    if (errno === ECONNREFUSED) this.#late = systemError(this.#libc, errno);
    return false;
  }

  /**
   * Sends one datagram that leaves from a host, as that control message says.
   *
   * @returns `undefined` if the kernel does not take it for now.
   */
  sendFrom(
    data: Uint8Array,
    to: Addr,
    leaving: Uint8Array,
    host: string,
  ): SentBatch | undefined {
    const result = this.#send(0, () => data.length, (slots) => {
      const peer = this.#peers.find(to);
      if (peer.kind !== "address") return 0;
      slots.data.set(data);
      slots.setLength(0, data.length);
      slots.setSockaddr(0, peer.sockaddr);
      slots.setControlMessage(0, leaving);
      this.#ends[0] = 1;
      return 1;
    });
    if (result?.error === undefined) return result;
    return { sent: 0, error: unusable(host, this.#errno) ?? result.error };
  }

  /**
   * Sends what fits into one call, up to the first message whose peer has no
   * address yet.
   *
   * @param start The index of the first message to send.
   * @returns `undefined` if the kernel takes none for now.
   */
  send(batch: readonly Outgoing[], start: number): SentBatch | undefined {
    return this.#send(
      start,
      () => batch[start]?.data.length ?? 0,
      (slots) => this.#fill(slots, batch, start),
    );
  }

  /**
   * Sends what fits into one call of a run's datagrams.
   *
   * @param start The index of the first datagram to send.
   * @returns `undefined` if the kernel takes none for now.
   */
  sendRun(
    data: Uint8Array,
    segmentSize: number,
    to: Addr,
    start: number,
  ): SentBatch | undefined {
    // The caller has the data, and so keeps it alive.
    const address = data.length >= MIN_IN_PLACE &&
        data.buffer instanceof ArrayBuffer
      ? addressOf(data)
      : undefined;
    return this.#send(
      start,
      () => segmentSize,
      (slots) => this.#fillRun(slots, data, address, segmentSize, to, start),
    );
  }

  /**
   * @param segmentSize Returns the length of the first datagram.
   * @param fill Fills slots, from the first datagram on, and returns how many.
   */
  #send(
    start: number,
    segmentSize: () => number,
    fill: (slots: Slots) => number,
  ): SentBatch | undefined {
    const slots = Slots.take();
    try {
      return this.#sendFilled(slots, start, segmentSize, fill);
    } finally {
      slots.give();
    }
  }

  #sendFilled(
    slots: Slots,
    start: number,
    segmentSize: () => number,
    fill: (slots: Slots) => number,
  ): SentBatch | undefined {
    for (;;) {
      const count = fill(slots);
      if (count === 0) return { sent: 0 };
      const n = this.#libc.sendmmsg(this.#fd, slots.headers, count, FLAGS);
      if (n > 0) return { sent: this.#held(n, start) };
      const errno = this.#errno = this.#libc.errno();
      switch (errno) {
        case EINTR:
          continue;
        case EAGAIN:
          return undefined;
        case ECONNREFUSED:
          // The kernel reports it once, for an earlier datagram, and sent
          // nothing in this call.
          this.#late = systemError(this.#libc, errno);
          continue;
        case EIO:
        case EINVAL:
        case EMSGSIZE:
          if (this.#held(1, start) > 1) {
            this.#remember(errno, segmentSize(), this.#held(1, start));
            continue;
          }
      }
      return { sent: 0, error: systemError(this.#libc, errno) };
    }
  }

  /**
   * Puts messages into slots, equally long ones to one peer together.
   *
   * @returns How many slots it filled.
   */
  #fill(slots: Slots, batch: readonly Outgoing[], start: number): number {
    let next = start;
    let slot = 0;
    // Reading past the end of an array is slow.
    const end = batch.length;
    for (; slot < SLOTS && next < end; slot++) {
      const message = batch[next];
      if (message === undefined) break;
      const { to, data: first } = message;
      const peer = this.#peers.find(to);
      if (peer.kind !== "address") break;
      const size = first.length;
      const at = slot * slots.dataSize;
      slots.data.set(first, at);
      let used = size;
      const from = next++;
      if (size > 0 && size <= this.#largestSegment) {
        while (next < end && next - from < this.#maxSegments) {
          const following = batch[next];
          if (following === undefined) break;
          const { data, to: other } = following;
          const { length } = data;
          if (
            length === 0 || length > size || used + length > MAX_RUN ||
            (other !== to && this.#peers.find(other) !== peer)
          ) break;
          slots.data.set(data, at + used);
          used += length;
          next++;
          // Only the last one of a run may be shorter.
          if (length < size) break;
        }
      }
      slots.setLength(slot, used);
      slots.setSockaddr(slot, peer.sockaddr);
      const one = next - from === 1;
      slots.setControl(slot, SOL_UDP, UDP_SEGMENT, one ? undefined : size);
      this.#ends[slot] = next;
    }
    return slot;
  }

  /**
   * Puts datagrams of a run into slots.
   *
   * @returns How many slots it filled.
   */
  #fillRun(
    slots: Slots,
    data: Uint8Array,
    address: number | undefined,
    segmentSize: number,
    to: Addr,
    start: number,
  ): number {
    const peer = this.#peers.find(to);
    if (peer.kind !== "address") return 0;
    const most = segmentSize > this.#largestSegment
      ? 1
      : Math.min(this.#maxSegments, Math.floor(MAX_RUN / segmentSize) || 1);
    let next = start;
    let slot = 0;
    for (; slot < SLOTS; slot++) {
      const from = next * segmentSize;
      if (from >= data.length) break;
      const length = Math.min(most * segmentSize, data.length - from);
      if (address === undefined) {
        const part = data.subarray(from, from + length);
        slots.data.set(part, slot * slots.dataSize);
      } else slots.setAddress(slot, address + from);
      slots.setLength(slot, length);
      slots.setSockaddr(slot, peer.sockaddr);
      const size = length > segmentSize ? segmentSize : undefined;
      slots.setControl(slot, SOL_UDP, UDP_SEGMENT, size);
      next += Math.ceil(length / segmentSize);
      this.#ends[slot] = next;
    }
    return slot;
  }

  /** Returns how many messages, from `start` on, the first slots hold. */
  #held(slots: number, start: number): number {
    return (this.#ends[slots - 1] ?? start) - start;
  }

  /**
   * EIO: the device computes no checksums, so it segments nothing. Otherwise the
   * kernel is an older one, or packets are too small for segments of that size.
   */
  #remember(errno: number, size: number, segments: number): void {
    if (errno === EINVAL && segments > MAX_SEGMENTS_BEFORE) {
      this.#maxSegments = MAX_SEGMENTS_BEFORE;
    } else this.#largestSegment = errno === EIO ? 0 : size - 1;
  }
}

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
import type { Names } from "./names.ts";
import { Slots } from "./slots.ts";

const SLOTS = 16;
// UDP_MAX_SEGMENTS of kernels before 6.9; later ones take more.
const MAX_SEGMENTS = 64;
// What a run may hold: a datagram's length field is checked before it is cut.
const MAX_RUN = 65_000;
const FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** Hands datagrams to the kernel: `sendmmsg` and `UDP_SEGMENT`. */
export class Sender {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #names: Names | undefined;
  readonly #slots = new Slots(SLOTS);
  // Up to which message a slot reaches.
  readonly #ends: number[] = [];
  // What the device segments: not larger ones than that, or none at all.
  #largestSegment = MAX_RUN;
  #runs = 0;
  // An error that belongs to a datagram whose send has resolved already.
  #late: Error | undefined;

  /** @param names Of the peers; none on a connected socket. */
  constructor(libc: Libc, fd: number, names: Names | undefined) {
    this.#libc = libc;
    this.#fd = fd;
    this.#names = names;
  }

  /** How many runs the last call was about. */
  get runs(): number {
    return this.#runs;
  }

  /** Whether an error came that belongs to a send that has resolved already. */
  get isLate(): boolean {
    return this.#late !== undefined;
  }

  /** That error, once. */
  takeLate(): Error | undefined {
    const late = this.#late;
    this.#late = undefined;
    return late;
  }

  /**
   * Sends one datagram, where that needs no more than a call.
   *
   * @returns Whether it is sent; `send` says why not.
   */
  sendOne(
    data: Uint8Array,
    name: Uint8Array<ArrayBuffer> | undefined,
  ): boolean {
    const sent = this.#libc.sendto(
      this.#fd,
      data as Uint8Array<ArrayBuffer>,
      BigInt(data.length),
      FLAGS,
      name ?? null,
      name?.length ?? 0,
    );
    if (sent >= 0n) return true;
    const errno = this.#libc.errno();
    if (errno === ECONNREFUSED) this.#late = systemError(this.#libc, errno);
    return false;
  }

  /**
   * Sends what goes in one call, from the first message on. All peers have names.
   *
   * @returns `undefined` where the kernel takes none for now.
   */
  send(batch: readonly Outgoing[]): SentBatch | undefined {
    for (;;) {
      const slots = this.#runs = this.#fill(batch);
      const n = this.#libc.sendmmsg(
        this.#fd,
        this.#slots.headers,
        slots,
        FLAGS,
      );
      if (n > 0) return { sent: this.#ends[n - 1] };
      const errno = this.#libc.errno();
      switch (errno) {
        case EINTR:
          continue;
        case EAGAIN:
          return undefined;
        case ECONNREFUSED:
          // The kernel says it once, of an earlier one, and sent nothing.
          this.#late = systemError(this.#libc, errno);
          continue;
        case EIO:
        case EINVAL:
        case EMSGSIZE:
          if (this.#ends[0] > 1) {
            this.#remember(errno, batch[0].data.length);
            continue;
          }
      }
      return { sent: 0, error: systemError(this.#libc, errno) };
    }
  }

  /** Puts messages into slots, equal ones to one peer together. */
  #fill(batch: readonly Outgoing[]): number {
    const slots = this.#slots;
    let next = 0;
    let slot = 0;
    for (; slot < SLOTS && next < batch.length; slot++) {
      const { to, data: first } = batch[next];
      const name = this.#nameOf(to);
      const size = first.length;
      const start = slot * slots.dataSize;
      slots.data.set(first, start);
      let used = size;
      const from = next++;
      if (size > 0 && size <= this.#largestSegment) {
        while (next < batch.length && next - from < MAX_SEGMENTS) {
          const { data, to: other } = batch[next];
          const { length } = data;
          if (
            length === 0 || length > size || used + length > MAX_RUN ||
            (other !== to && this.#nameOf(other) !== name)
          ) break;
          slots.data.set(data, start + used);
          used += length;
          next++;
          // Only the last of a run may be shorter.
          if (length < size) break;
        }
      }
      slots.setLength(slot, used);
      slots.setName(slot, name);
      const one = next - from === 1;
      slots.setControl(slot, SOL_UDP, UDP_SEGMENT, one ? undefined : size);
      this.#ends[slot] = next;
    }
    return slot;
  }

  #nameOf(to: Addr): Uint8Array | undefined {
    return this.#names?.get(to) as Uint8Array | undefined;
  }

  /**
   * EIO: the device computes no checksums, so it segments nothing. Else segments
   * of that size are more than its packets hold.
   */
  #remember(errno: number, size: number): void {
    this.#largestSegment = errno === EIO ? 0 : size - 1;
  }
}

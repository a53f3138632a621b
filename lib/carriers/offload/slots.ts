import { CMSGHDR, IOVEC, MMSGHDR } from "./layout.ts";
import { CONTROL_SIZE } from "./metadata.ts";

// Enough that the cost of a call hardly counts, few enough that their data stays
// in the processor's cache.
const COUNT = 32;
// One datagram, or a run of them, of at most 64 KiB.
const DATA_SIZE = 64 * 1024;
// A `cmsghdr` and the number that UDP_SEGMENT carries, as CMSG_SPACE aligns them.
const NUMBER_SIZE = CMSGHDR.data + 8;
const SOCKADDR_SIZE = 32;

// Sockets that wait or send need them only during a call.
const MAX_SPARE = 2;
const spare: Slots[] = [];

/**
 * The array of `struct mmsghdr` that `sendmmsg` and `recvmmsg` take, with room
 * for the data, the peer's address and the control messages of each.
 *
 * The structures hold pointers to each other. That is safe for three reasons:
 * this object keeps all of their buffers alive; a buffer of more than 64 bytes
 * lies outside of the garbage collector's heap and never moves; and only
 * synchronous calls use the pointers, so no other thread ever sees them.
 */
export class Slots {
  /** How many slots there are. */
  static readonly count: number = COUNT;

  /** Returns slots that nobody uses. */
  static take(): Slots {
    return spare.pop() ?? new Slots();
  }

  /** The array itself, as the calls take it. */
  readonly headers: Uint8Array<ArrayBuffer>;
  /** The data of all slots, `dataSize` bytes each. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly dataSize: number = DATA_SIZE;
  /** The peers' addresses, `sockaddrSize` bytes each. */
  readonly sockaddrs: DataView;
  readonly sockaddrSize: number = SOCKADDR_SIZE;
  readonly #sockaddrs: Uint8Array;
  /** The control messages, `controlSize` bytes for each slot. */
  readonly controls: DataView;
  readonly controlSize: number = CONTROL_SIZE;
  // Little-endian: the lower half of a `size_t` comes first.
  readonly #headerWords: Uint32Array;
  readonly #iovecWords: Uint32Array;
  readonly #address: number;
  // How many of the first slots have their data elsewhere.
  #elsewhere = 0;

  private constructor() {
    const count = COUNT;
    const headers = new BigUint64Array(count * MMSGHDR.size / 8);
    const iovecs = new BigUint64Array(count * IOVEC.size / 8);
    this.headers = new Uint8Array(headers.buffer);
    this.data = new Uint8Array(count * DATA_SIZE);
    this.#sockaddrs = new Uint8Array(count * SOCKADDR_SIZE);
    this.sockaddrs = new DataView(this.#sockaddrs.buffer);
    const controls = new Uint8Array(count * CONTROL_SIZE);
    this.controls = new DataView(controls.buffer);
    this.#headerWords = new Uint32Array(headers.buffer);
    this.#iovecWords = new Uint32Array(iovecs.buffer);
    this.#address = addressOf(this.data);
    const sockaddrs = BigInt(addressOf(this.#sockaddrs));
    const control = BigInt(addressOf(controls));
    const vectors = BigInt(addressOf(this.#iovecWords));
    for (let i = 0; i < count; i++) {
      const header = (offset: number) => (i * MMSGHDR.size + offset) / 8;
      headers[header(MMSGHDR.name)] = sockaddrs + BigInt(i * SOCKADDR_SIZE);
      headers[header(MMSGHDR.iov)] = vectors + BigInt(i * IOVEC.size);
      headers[header(MMSGHDR.iovlen)] = 1n;
      headers[header(MMSGHDR.control)] = control + BigInt(i * CONTROL_SIZE);
      this.#setBase(i, this.#address + i * DATA_SIZE);
    }
  }

  /** Leaves them to the next one that takes slots. */
  give(): void {
    for (let i = 0; i < this.#elsewhere; i++) {
      this.#setBase(i, this.#address + i * DATA_SIZE);
    }
    this.#elsewhere = 0;
    if (spare.length < MAX_SPARE) spare.push(this);
  }

  /** Sets how many bytes of a slot are to be sent, or may be received. */
  setLength(slot: number, size: number): void {
    this.#iovecWords[(slot * IOVEC.size + IOVEC.len) / 4] = size;
  }

  /**
   * Sets where the data of a slot is, until the slots are given back. Whoever does
   * it keeps what is there alive until then.
   */
  setAddress(slot: number, address: number): void {
    this.#setBase(slot, address);
    this.#elsewhere = Math.max(this.#elsewhere, slot + 1);
  }

  /** Prepares the first `count` slots for receiving. */
  reset(count: number): void {
    for (let i = 0; i < count; i++) {
      const word = i * MMSGHDR.size / 4;
      this.#headerWords[word + MMSGHDR.namelen / 4] = SOCKADDR_SIZE;
      this.#headerWords[word + MMSGHDR.controllen / 4] = CONTROL_SIZE;
      this.setLength(i, DATA_SIZE);
    }
  }

  /** Returns how many bytes a slot received. */
  length(slot: number): number {
    return this.#headerWords[(slot * MMSGHDR.size + MMSGHDR.len) / 4] ?? 0;
  }

  /** Sets the peer to send to; `null` if the socket is connected. */
  setSockaddr(slot: number, sockaddr: Uint8Array | null): void {
    const size = sockaddr?.length ?? 0;
    const at = slot * SOCKADDR_SIZE;
    // A call that copies so few bytes takes longer.
    for (let i = 0; i < size; i++) this.#sockaddrs[at + i] = sockaddr![i]!;
    this.#headerWords[(slot * MMSGHDR.size + MMSGHDR.namelen) / 4] = size;
  }

  /** Sets a slot's control message, with a 16-bit value; `undefined` for none. */
  setControl(
    slot: number,
    level: number,
    type: number,
    value: number | undefined,
  ): void {
    const word = (slot * MMSGHDR.size + MMSGHDR.controllen) / 4;
    this.#headerWords[word] = value === undefined ? 0 : NUMBER_SIZE;
    if (value === undefined) return;
    const at = slot * CONTROL_SIZE;
    // CMSG_LEN(sizeof(uint16_t)).
    this.controls.setBigUint64(
      at + CMSGHDR.len,
      BigInt(CMSGHDR.data + 2),
      true,
    );
    this.controls.setInt32(at + CMSGHDR.level, level, true);
    this.controls.setInt32(at + CMSGHDR.type, type, true);
    this.controls.setUint16(at + CMSGHDR.data, value, true);
  }

  /** Sets the control message of a slot, as the system takes it. */
  setControlMessage(slot: number, message: Uint8Array): void {
    const word = (slot * MMSGHDR.size + MMSGHDR.controllen) / 4;
    this.#headerWords[word] = message.length;
    for (let i = 0; i < message.length; i++) {
      this.controls.setUint8(slot * CONTROL_SIZE + i, message[i]!);
    }
  }

  /** Returns how many bytes of control messages a slot received. */
  controlLength(slot: number): number {
    const word = (slot * MMSGHDR.size + MMSGHDR.controllen) / 4;
    return this.#headerWords[word] ?? 0;
  }

  /**
   * Returns the value of the first control message that a slot received;
   * `undefined` if it received none, or one of another type.
   */
  control(slot: number, level: number, type: number): number | undefined {
    const size = this.controlLength(slot);
    if (size < CMSGHDR.data + 4) return undefined;
    const at = slot * CONTROL_SIZE;
    if (
      this.controls.getInt32(at + CMSGHDR.level, true) !== level ||
      this.controls.getInt32(at + CMSGHDR.type, true) !== type
    ) return undefined;
    return this.controls.getInt32(at + CMSGHDR.data, true);
  }

  #setBase(slot: number, address: number): void {
    const word = (slot * IOVEC.size + IOVEC.base) / 4;
    this.#iovecWords[word] = address;
    this.#iovecWords[word + 1] = address / 2 ** 32;
  }
}

/**
 * Returns where bytes are. Only such as are not collected may be used there. The
 * addresses of a program have less than 53 bits.
 */
export function addressOf(bytes: Uint8Array | Uint32Array): number {
  const pointer = Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>);
  return Number(Deno.UnsafePointer.value(pointer));
}

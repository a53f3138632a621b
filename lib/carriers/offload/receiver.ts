import type { NetAddr } from "../../addr.ts";
import type { Run } from "../../carrier.ts";
import { SOCKADDR_IN } from "./layout.ts";
import {
  AF_INET,
  EAGAIN,
  EINTR,
  type Libc,
  MSG_DONTWAIT,
  SOL_UDP,
  systemError,
  UDP_GRO,
} from "./libc.ts";
import { Slots } from "./slots.ts";
import { decodeAddress } from "./sockaddr.ts";

// Runs that one call takes: enough that the cost of the call hardly counts, few
// enough that their data stays in the processor's cache.
const SLOTS = 32;
const MAX_PEERS = 4096;

/** Takes datagrams out of the kernel: `recvmmsg` and `UDP_GRO`. */
export class Receiver {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #slots = new Slots(SLOTS);
  // How many slots the last call filled.
  #used = 0;
  // IPv4 peers by address and port, as one number. When it is full, all are
  // forgotten.
  readonly #peers = new Map<number, NetAddr>();

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /**
   * Takes what waits in the kernel, at most 32 runs. Their memory is valid until
   * the next call.
   *
   * @returns `undefined` if nothing waits.
   */
  take(): Run[] | undefined {
    const slots = this.#slots;
    slots.reset(this.#used);
    this.#used = 0;
    const n = this.#libc.recvmmsg(
      this.#fd,
      slots.headers,
      SLOTS,
      MSG_DONTWAIT,
      null,
    );
    if (n < 0) {
      const errno = this.#libc.errno();
      if (errno === EAGAIN || errno === EINTR) return undefined;
      throw systemError(this.#libc, errno);
    }
    this.#used = n;
    const runs: Run[] = [];
    for (let i = 0; i < n; i++) {
      const length = slots.length(i);
      const start = i * slots.dataSize;
      const segmentSize = slots.control(i, SOL_UDP, UDP_GRO) ?? length;
      runs.push({
        data: slots.data.subarray(start, start + length),
        segmentSize,
        from: this.#peer(i * slots.sockaddrSize),
        truncated: false,
        count: segmentSize === 0 ? 1 : Math.ceil(length / segmentSize),
      });
    }
    return runs;
  }

  #peer(offset: number): NetAddr {
    const { sockaddrs } = this.#slots;
    if (sockaddrs.getUint16(offset, true) !== AF_INET) {
      return decodeAddress(sockaddrs, offset);
    }
    const key = sockaddrs.getUint32(offset + SOCKADDR_IN.addr) * 65_536 +
      sockaddrs.getUint16(offset + SOCKADDR_IN.port);
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      if (this.#peers.size >= MAX_PEERS) this.#peers.clear();
      peer = decodeAddress(sockaddrs, offset);
      this.#peers.set(key, peer);
    }
    return peer;
  }
}

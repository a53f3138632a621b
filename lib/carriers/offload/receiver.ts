import type { NetAddr } from "../../addr.ts";
import type { Run } from "../../carrier.ts";
import type { MetadataReader, Told } from "./metadata.ts";
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
import { decodeAddress } from "./sockaddr.ts";
import { Slots } from "./slots.ts";

const MAX_PEERS = 4096;

/** Takes datagrams out of the kernel: `recvmmsg` and `UDP_GRO`. */
export class Receiver {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #metadata: MetadataReader | undefined;
  // What holds the data of the last call.
  #slots: Slots | undefined;
  // What was taken out of the kernel, and not out of here.
  #held: Run[] = [];
  // The text of IPv4 addresses. When it is full, all are forgotten.
  readonly #hosts = new Map<number, string>();

  /** @param metadata Reads what the socket is told besides the segment size. */
  constructor(libc: Libc, fd: number, metadata?: MetadataReader) {
    this.#libc = libc;
    this.#fd = fd;
    this.#metadata = metadata;
  }

  /** How many datagrams were taken out of the kernel, and not out of here. */
  get held(): number {
    return this.#held.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Takes what waits in the kernel. Its memory is valid until the next call.
   *
   * @param max How many datagrams to take at most.
   * @returns Up to 32 runs; `undefined` if nothing waits.
   */
  take(max: number): Run[] | undefined {
    if (this.#held.length === 0 && !this.#receive(max)) return undefined;
    const runs: Run[] = [];
    let room = max;
    for (const run of this.#held) {
      if (run.count > room) break;
      runs.push(run);
      room -= run.count;
    }
    const next = this.#held[runs.length];
    if (next === undefined) this.#held = [];
    else {
      this.#held.splice(0, runs.length);
      if (room > 0) {
        const [first, rest] = split(next, room);
        runs.push(first);
        this.#held[0] = rest;
      }
    }
    return runs;
  }

  /** Leaves the memory of the last call: nothing is written to it any more. */
  leave(): void {
    this.#slots = undefined;
  }

  /** @returns Whether there is something now. */
  #receive(max: number): boolean {
    const slots = this.#slots ?? Slots.take();
    const count = Math.min(Slots.count, max);
    slots.reset(count);
    const n = this.#libc.recvmmsg(
      this.#fd,
      slots.headers,
      count,
      MSG_DONTWAIT,
      null,
    );
    this.#slots = n > 0 ? slots : undefined;
    if (n <= 0) slots.give();
    if (n < 0) {
      const errno = this.#libc.errno();
      if (errno === EAGAIN || errno === EINTR) return false;
      throw systemError(this.#libc, errno);
    }
    for (let i = 0; i < n; i++) {
      const length = slots.length(i);
      const start = i * slots.dataSize;
      const told = this.#told(slots, i);
      const segmentSize = told === undefined
        ? slots.control(i, SOL_UDP, UDP_GRO) ?? length
        : told.segmentSize ?? length;
      const run = {
        data: slots.data.subarray(start, start + length),
        segmentSize,
        from: this.#peer(slots.sockaddrs, i * slots.sockaddrSize),
        truncated: false,
        count: segmentSize === 0 ? 1 : Math.ceil(length / segmentSize),
      };
      this.#held.push(told === undefined ? run : { ...told, ...run });
    }
    return n > 0;
  }

  #told(slots: Slots, slot: number): Told | undefined {
    const start = slot * slots.controlSize;
    const length = slots.controlLength(slot);
    return this.#metadata?.read(slots.controls, start, length);
  }

  /** A new object each time: the program may change it. */
  #peer(sockaddrs: DataView, offset: number): NetAddr {
    if (sockaddrs.getUint16(offset, true) !== AF_INET) {
      return decodeAddress(sockaddrs, offset);
    }
    const key = sockaddrs.getUint32(offset + SOCKADDR_IN.addr);
    const port = sockaddrs.getUint16(offset + SOCKADDR_IN.port);
    let hostname = this.#hosts.get(key);
    if (hostname === undefined) {
      if (this.#hosts.size >= MAX_PEERS) this.#hosts.clear();
      ({ hostname } = decodeAddress(sockaddrs, offset));
      this.#hosts.set(key, hostname);
    }
    return { transport: "udp", hostname, port };
  }
}

/** Divides a run in two, the first one of `count` datagrams. */
function split(run: Run, count: number): [first: Run, rest: Run] {
  const { data, segmentSize, to } = run;
  const at = count * segmentSize;
  return [
    { ...run, data: data.subarray(0, at), count },
    {
      ...run,
      data: data.subarray(at),
      count: run.count - count,
      from: { ...run.from },
      ...(to !== undefined && { to: { ...to } }),
    },
  ];
}

/**
 * UDP on Linux with segmentation offload: many datagrams a system call, by way
 * of libc. Behind `bind` and `connect` like any other carrier.
 *
 * @module
 */
import type { Addr, NetAddr } from "../addr.ts";
import { errors } from "../errors.ts";
import type {
  Carrier,
  CarrierSource,
  Outgoing,
  Run,
  SentBatch,
} from "../carrier.ts";
import { type Clock, systemClock } from "../clock.ts";
import { localhostIn, resolveHost, Resolver } from "./resolve.ts";
import { type Libc, systemError, systemLibc } from "./offload/libc.ts";
import { Names } from "./offload/names.ts";
import { Readiness } from "./offload/readiness.ts";
import { Receiver } from "./offload/receiver.ts";
import { Sender } from "./offload/sender.ts";
import * as system from "./offload/system.ts";
import { refuseMany } from "./peers.ts";

/** What {@linkcode offload} takes. */
export interface OffloadOptions {
  /**
   * Lets several sockets share the port (SO_REUSEPORT), in this program or in
   * others of the same user; the system spreads peers over them, each always to
   * the same one.
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * The room for what has come and was not received, in bytes, as the system
   * counts them: for small datagrams several times their length.
   * @default {the system's: net.core.rmem_default}
   */
  receiveBuffer?: number;
  /**
   * The room for what the device has not taken yet, in bytes.
   * @default {the system's: net.core.wmem_default}
   */
  sendBuffer?: number;
}

/**
 * UDP by Linux's own calls: `sendMany` hands the kernel runs of equal datagrams
 * to one peer as one (UDP_SEGMENT), and what comes is taken by the run (UDP_GRO,
 * recvmmsg). It needs `--allow-ffi` besides the network's permissions, which it
 * keeps to.
 *
 * A connected socket hears that its peer refuses (ICMP): the send that was
 * refused rejects with `Deno.errors.ConnectionRefused`, or, when that comes
 * later, the `receive` that waits. Where a batch was refused, its last message
 * is the one that failed.
 *
 * @throws {Deno.errors.NotSupported} Not Linux on x86-64 or arm64.
 * @throws {Deno.errors.NotCapable} Needs `--allow-ffi`.
 * @throws {RangeError} A buffer that is no size, or more than the system allows.
 *
 * @example
 * ```ts ignore
 * import { bind } from "@pli/datagram";
 * import { offload } from "@pli/datagram/offload";
 *
 * await using socket = bind("udp://127.0.0.1:0", { carrier: offload() });
 * for await (const batch of socket.batches({ max: 1000 })) {
 *   console.log(batch.length);
 * }
 * ```
 */
export function offload(options: OffloadOptions = {}): CarrierSource {
  return offloadBy(systemLibc(), options);
}

/**
 * The same with another C library, for tests.
 *
 * @internal
 */
export function offloadBy(
  open: () => Libc,
  options: OffloadOptions = {},
): CarrierSource {
  system.checkOptions(options);
  return {
    schemes: ["udp"],
    listen({ hostname, port }: NetAddr) {
      const local = localhostIn(hostname, 4);
      system.requireNet(local, port);
      return system.openSocket(open, local, options, (libc, fd) => {
        system.bindTo(libc, fd, { transport: "udp", hostname: local, port });
        return new OffloadCarrier(libc, fd);
      });
    },
    async dial(address: NetAddr) {
      const { hostname, port } = address;
      const host = await resolveHost(hostname);
      refuseMany(host, address);
      system.requireNet(host, port);
      return system.openSocket(open, host, options, (libc, fd) => {
        const remote = { transport: "udp", hostname: host, port } as const;
        system.connectTo(libc, fd, remote);
        return new OffloadCarrier(libc, fd, remote);
      });
    },
  };
}

class OffloadCarrier implements Carrier {
  readonly addr: NetAddr;
  readonly remote?: NetAddr;
  readonly clock: Clock = {
    ...systemClock,
    turn: (callback) => {
      let immediate = setImmediate(() => {
        this.#readiness.lookNow();
        // What was found goes up before that.
        immediate = setImmediate(callback);
      });
      return () => clearImmediate(immediate);
    },
  };
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #readiness: Readiness;
  readonly #names: Names | undefined;
  readonly #hosts = new Resolver();
  // What `receive` has left of a batch.
  #rest: Run[] = [];

  constructor(libc: Libc, fd: number, remote?: NetAddr) {
    this.addr = system.localAddress(libc, fd);
    this.remote = remote;
    this.#libc = libc;
    this.#fd = fd;
    this.#names = remote === undefined ? new Names(libc) : undefined;
    this.#receiver = new Receiver(libc, fd);
    this.#sender = new Sender(libc, fd, this.#names);
    this.#readiness = new Readiness(libc, fd);
  }

  async receiveBatch(): Promise<readonly Run[]> {
    const readiness = this.#readiness;
    let runs: Run[] | undefined;
    const look = () => (runs = this.#take()) !== undefined;
    if (!readiness.turnIsDue) {
      if (look()) return runs!;
      // The caller goes on first.
      await undefined;
      if (readiness.linger(look)) return runs!;
    }
    await readiness.readable(look);
    return runs ?? closed();
  }

  async receive(
    p?: Uint8Array,
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    if (this.#rest.length === 0) this.#rest = [...await this.receiveBatch()];
    const run = this.#rest[0];
    const { data, segmentSize, from, count } = run;
    if (count === 1) this.#rest.shift();
    else {
      this.#rest[0] = {
        ...run,
        data: data.subarray(segmentSize),
        count: count - 1,
      };
    }
    const whole = data.subarray(0, segmentSize);
    if (p === undefined) return [whole.slice(), from];
    const taken = whole.subarray(0, p.length);
    p.set(taken);
    return [p.subarray(0, taken.length) as Uint8Array<ArrayBuffer>, from];
  }

  async send(data: Uint8Array, to: Addr): Promise<number> {
    const readiness = this.#readiness;
    const name = this.#names?.get(to);
    if (
      !readiness.turnIsDue && !readiness.closed && !(name instanceof Error) &&
      this.#sender.sendOne(data, name)
    ) {
      readiness.worked(1);
      const refusal = this.#refusal();
      if (refusal !== undefined) throw refusal;
      return data.length;
    }
    const { error } = await this.sendBatch([{ data, to }]);
    if (error !== undefined) throw error;
    return data.length;
  }

  sendBatch(batch: readonly Outgoing[]): SentBatch | Promise<SentBatch> {
    // Up to the first peer that is a name, or that cannot be sent to.
    const names = this.#names;
    const end = names === undefined
      ? -1
      : batch.findIndex(({ to }) => names.get(to) instanceof Error);
    if (end === 0) return this.#sendToName(batch[0]);
    const ready = end < 0 ? batch : batch.slice(0, end);
    const sent = this.#readiness.turnIsDue ? undefined : this.#trySend(ready);
    return sent ?? this.#sendLater(ready);
  }

  kernelDrops(): Promise<number | undefined> {
    if (this.#readiness.closed) return Promise.resolve(undefined);
    return Promise.resolve(system.droppedBy(this.#libc, this.#fd));
  }

  close(): void {
    this.#readiness.close();
  }

  get closed(): Promise<void> {
    return this.#readiness.released;
  }

  ref(): void {
    this.#readiness.ref();
  }

  unref(): void {
    this.#readiness.unref();
  }

  #take(): Run[] | undefined {
    if (this.#readiness.closed) return closed();
    const late = this.#sender.takeLate();
    if (late !== undefined) throw late;
    const runs = this.#receiver.take();
    if (runs !== undefined) this.#readiness.worked(runs.length);
    return runs;
  }

  /** `undefined` where the kernel takes nothing for now. */
  #trySend(batch: readonly Outgoing[]): SentBatch | undefined {
    if (this.#readiness.closed) return closed();
    const result = this.#sender.send(batch);
    if (this.#sender.isLate) this.#readiness.wake();
    if (result === undefined) return undefined;
    this.#readiness.worked(this.#sender.runs);
    const refusal = result.sent === 0 ? undefined : this.#refusal();
    return refusal === undefined
      ? result
      : { sent: result.sent - 1, error: refusal };
  }

  /** On one machine it comes back before the call that sends returns. */
  #refusal(): Error | undefined {
    if (this.remote === undefined) return undefined;
    const errno = system.pendingError(this.#libc, this.#fd);
    return errno === 0 ? undefined : systemError(this.#libc, errno);
  }

  async #sendLater(batch: readonly Outgoing[]): Promise<SentBatch> {
    if (this.#readiness.turnIsDue) await this.#readiness.turn();
    for (;;) {
      const sent = this.#trySend(batch);
      if (sent !== undefined) return sent;
      await this.#readiness.writable();
    }
  }

  /** One, whose peer is a name to look up, or cannot be sent to. */
  async #sendToName({ data, to }: Outgoing): Promise<SentBatch> {
    try {
      const { transport, hostname, port } = to as NetAddr;
      const family = this.addr.hostname.includes(":") ? 6 : 4;
      const host = await this.#hosts.resolve(hostname, family);
      const peer = { transport, hostname: host, port };
      const name = this.#names?.get(peer);
      if (name instanceof Error) throw name;
      return await this.#sendLater([{ data, to: peer }]);
    } catch (error) {
      return { sent: 0, error };
    }
  }
}

function closed(): never {
  throw new errors.BadResource("closed");
}

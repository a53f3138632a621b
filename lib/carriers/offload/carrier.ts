import type { Addr, NetAddr } from "../../addr.ts";
import type { Carrier, Outgoing, Run, SentBatch } from "../../carrier.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { errors } from "../../errors.ts";
import { Resolver } from "../resolve.ts";
import { type Libc, systemError } from "./libc.ts";
import { Readiness } from "./readiness.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { SocketAddresses } from "./socket_addresses.ts";
import * as system from "./system.ts";

/** A UDP socket that libc opened, as a carrier. */
export class OffloadCarrier implements Carrier {
  readonly addr: NetAddr;
  readonly remote?: NetAddr;
  readonly clock: Clock = {
    ...systemClock,
    turn: (callback) => {
      let immediate = setImmediate(() => {
        this.#readiness.lookNow();
        // What was found is passed on before the callback runs.
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
  readonly #addresses: SocketAddresses | undefined;
  readonly #hosts = new Resolver();
  // What is left of the batch that `receive` took.
  #rest: Run[] = [];

  constructor(libc: Libc, fd: number, remote?: NetAddr) {
    this.addr = system.localAddress(libc, fd);
    this.remote = remote;
    this.#libc = libc;
    this.#fd = fd;
    this.#addresses = remote === undefined
      ? new SocketAddresses(libc)
      : undefined;
    this.#receiver = new Receiver(libc, fd);
    this.#sender = new Sender(libc, fd, this.#addresses);
    this.#readiness = new Readiness(libc, fd);
  }

  async receiveBatch(): Promise<readonly Run[]> {
    const readiness = this.#readiness;
    if (!readiness.turnIsDue) {
      const here = this.#take();
      if (here !== undefined) return here;
      // The caller goes on first.
      await undefined;
      const soon = readiness.linger(this.#take);
      if (soon !== undefined) return soon;
    }
    return await readiness.readable(this.#take) ?? closed();
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
    const peer = this.#addresses?.find(to);
    if (
      !readiness.turnIsDue && !readiness.closed &&
      (peer === undefined || peer.kind === "address") &&
      this.#sender.sendOne(data, peer?.sockaddr)
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
    const peer = this.#addresses?.find(batch[0].to);
    if (peer?.kind === "name") return this.#sendResolved(batch[0]);
    if (peer?.kind === "refused") return { sent: 0, error: peer.error };
    const sent = this.#readiness.turnIsDue ? undefined : this.#trySend(batch);
    return sent ?? this.#sendLater(batch);
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

  readonly #take = (): Run[] | undefined => {
    if (this.#readiness.closed) return closed();
    const late = this.#sender.takeLate();
    if (late !== undefined) throw late;
    const runs = this.#receiver.take();
    if (runs !== undefined) this.#readiness.worked(runs.length);
    return runs;
  };

  /** Returns `undefined` if the kernel takes nothing for now. */
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

  /**
   * Returns the peer's refusal of what was just sent. On one machine it arrives
   * before the call that sends returns.
   */
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

  /** Looks up the host of the peer, then sends the message. */
  async #sendResolved({ data, to }: Outgoing): Promise<SentBatch> {
    try {
      const { transport, hostname, port } = to as NetAddr;
      const family = this.addr.hostname.includes(":") ? 6 : 4;
      const host = await this.#hosts.resolve(hostname, family);
      const resolved = { transport, hostname: host, port };
      const peer = this.#addresses?.find(resolved);
      if (peer?.kind === "refused") throw peer.error;
      return await this.#sendLater([{ data, to: resolved }]);
    } catch (error) {
      return { sent: 0, error };
    }
  }
}

function closed(): never {
  throw new errors.BadResource("closed");
}

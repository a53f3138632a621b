import type { Addr, NetAddr } from "../../addr.ts";
import type { Carrier, Outgoing, Run, SentBatch } from "../../carrier.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { errors } from "../../errors.ts";
import { NameCache } from "../resolve.ts";
import { type Libc, systemError } from "./libc.ts";
import { Names } from "./names.ts";
import { Readiness } from "./readiness.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
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
  readonly #hosts = new NameCache();
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

  readonly #take = (): Run[] | undefined => {
    if (this.#readiness.closed) return closed();
    const late = this.#sender.takeLate();
    if (late !== undefined) throw late;
    const runs = this.#receiver.take();
    if (runs !== undefined) this.#readiness.worked(runs.length);
    return runs;
  };

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

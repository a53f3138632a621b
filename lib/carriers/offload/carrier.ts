import { type Addr, copyAddr, type NetAddr } from "../../addr.ts";
import { isMulticast } from "../../address/host.ts";
import type { Carrier, Outgoing, Run, SentBatch } from "../../carrier.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { errors } from "../../errors.ts";
import { clearImmediate, setImmediate } from "../../platform.ts";
import { turnIsDue } from "../../turns.ts";
import { Resolver } from "../resolve.ts";
import { type Libc, systemError } from "./libc.ts";
import { Pace } from "./pace.ts";
import { leavingFrom, MetadataReader } from "./metadata.ts";
import { ManyPeers, OnePeer, type Peers } from "./peers.ts";
import { Readiness } from "./readiness.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { droppedBy, pendingError } from "./socket_options.ts";
import type { OpenSocket } from "./system.ts";

/** What is sent at once: a batch of messages, or a run. */
interface Load {
  /** The peer of the first datagram. */
  readonly to: Addr;
  /** How many datagrams it holds. */
  readonly count: number;
  /** Sends what one call takes, from that datagram on; as in `Sender`. */
  readonly send: (start: number) => SentBatch | undefined;
  /** Sends, to an address, all that the name of the first peer stands for. */
  readonly sendTo: (to: NetAddr) => SentBatch | Promise<SentBatch>;
}

/** A UDP socket that libc opened, as a carrier. */
export class OffloadCarrier implements Carrier {
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
  readonly #socket: OpenSocket;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #addr: NetAddr;
  readonly #remote: NetAddr | undefined;
  readonly #peers: Peers;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #readiness: Readiness;
  readonly #pace: Pace;
  readonly #metadata: MetadataReader | undefined;
  readonly #hosts = new Resolver();
  // What is left of the batch that `receive` took.
  #rest: Run[] = [];
  #isClosed = false;
  readonly #released = Promise.withResolvers<void>();

  constructor(socket: OpenSocket, remote?: NetAddr) {
    const { poller, watch, addr } = socket;
    const { fd } = watch;
    const { libc } = poller;
    this.#socket = socket;
    this.#libc = libc;
    this.#fd = fd;
    this.#addr = addr;
    this.#remote = remote;
    this.#peers = remote === undefined
      ? new ManyPeers(libc, this.#family)
      : new OnePeer(remote);
    this.#metadata = socket.hasMetadata
      ? new MetadataReader(addr.port, this.#family)
      : undefined;
    this.#receiver = new Receiver(libc, fd, this.#metadata);
    this.#sender = new Sender(libc, fd, this.#peers);
    this.#readiness = new Readiness(poller, watch);
    this.#pace = new Pace();
  }

  get addr(): NetAddr {
    return copyAddr(this.#addr);
  }

  get remote(): NetAddr | undefined {
    return this.#remote && copyAddr(this.#remote);
  }

  async receiveBatch(): Promise<readonly Run[]> {
    const readiness = this.#readiness;
    this.#pace.asked();
    if (!turnIsDue()) {
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
    let run = this.#rest[0];
    while (run === undefined) {
      this.#rest = [...await this.receiveBatch()];
      run = this.#rest[0];
    }
    const { data, segmentSize, count } = run;
    const from = copyAddr(run.from);
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
    if (this.#isClosed) closed();
    this.#peers.begin();
    const peer = this.#peers.find(to);
    if (peer.kind === "refused") throw peer.error;
    if (
      peer.kind === "address" && !turnIsDue() &&
      this.#sender.sendOne(data, peer.sockaddr)
    ) {
      const refusal = this.#refusal();
      if (refusal !== undefined) throw refusal;
      return data.length;
    }
    const { error } = await this.sendBatch([{ data, to: copyAddr(to) }]);
    if (error !== undefined) throw error;
    return data.length;
  }

  async sendFrom(data: Uint8Array, to: Addr, from: Addr): Promise<number> {
    const host = "hostname" in from ? from.hostname : "";
    const isOne = !isMulticast(host) && host !== "255.255.255.255" &&
      !this.#metadata?.isShared(host);
    if (!isOne) return await this.send(data, to);
    const leaving = leavingFrom(this.#libc, host, this.#family);
    const load = (to: Addr): Load => ({
      to,
      count: 1,
      send: () => this.#sender.sendFrom(data, to, leaving, host),
      sendTo: (to) => this.#send(load(to)),
    });
    const { error } = await this.#send(load(copyAddr(to)));
    if (error !== undefined) throw error;
    return data.length;
  }

  leaveBatch(): void {
    this.#receiver.leave();
  }

  sendBatch(batch: readonly Outgoing[]): SentBatch | Promise<SentBatch> {
    const first = batch[0];
    if (first === undefined) return { sent: 0 };
    return this.#send({
      to: first.to,
      count: batch.length,
      send: (start) => this.#sender.send(batch, start),
      sendTo: (to) => this.sendBatch([{ data: first.data, to }]),
    });
  }

  sendRun(
    data: Uint8Array,
    segmentSize: number,
    to: Addr,
  ): SentBatch | Promise<SentBatch> {
    return this.#send({
      to,
      count: Math.ceil(data.length / segmentSize),
      send: (start) => this.#sender.sendRun(data, segmentSize, to, start),
      sendTo: (to) => this.sendRun(data, segmentSize, to),
    });
  }

  /** What was taken out of the kernel and not received before it was closed. */
  drops(): Record<string, number> {
    const { held } = this.#receiver;
    return this.#isClosed && held > 0 ? { closed: held } : {};
  }

  kernelDrops(): Promise<number | undefined> {
    return Promise.resolve(
      this.#isClosed ? undefined : droppedBy(this.#libc, this.#fd),
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readiness.close();
    this.#released.resolve(this.#socket.close());
  }

  get closed(): Promise<void> {
    return this.#released.promise;
  }

  ref(): void {
    this.#readiness.ref();
  }

  unref(): void {
    this.#readiness.unref();
  }

  readonly #take = (): Run[] | undefined => {
    if (this.#isClosed) closed();
    const late = this.#sender.takeLate();
    if (late !== undefined) throw late;
    const runs = this.#receiver.take(this.#pace.limit);
    if (runs !== undefined) {
      this.#pace.gave(runs.reduce((sum, { count }) => sum + count, 0));
    }
    return runs;
  };

  #send(load: Load): SentBatch | Promise<SentBatch> {
    if (turnIsDue()) return this.#sendLater(load);
    return this.#trySend(load) ?? this.#sendLater(load);
  }

  /**
   * Sends until the event loop has to turn.
   *
   * @returns `undefined` if the kernel takes nothing for now.
   */
  #trySend(load: Load): SentBatch | Promise<SentBatch> | undefined {
    if (this.#isClosed) closed();
    this.#peers.begin();
    const peer = this.#peers.find(load.to);
    if (peer.kind === "name") return this.#sendResolved(load);
    if (peer.kind === "refused") return { sent: 0, error: peer.error };
    let sent = 0;
    do {
      const result = load.send(sent);
      if (this.#sender.isLate) this.#readiness.lookNow();
      if (result === undefined) return sent === 0 ? undefined : { sent };
      sent += result.sent;
      if (result.sent === 0) return { ...result, sent };
      const refusal = this.#refusal();
      if (refusal !== undefined) return { sent: sent - 1, error: refusal };
    } while (sent < load.count && !turnIsDue());
    return { sent };
  }

  async #sendLater(load: Load): Promise<SentBatch> {
    await this.#readiness.turns();
    for (;;) {
      const sent = this.#trySend(load);
      if (sent !== undefined) return sent;
      await this.#readiness.writable();
    }
  }

  get #family(): 4 | 6 {
    return this.#addr.hostname.includes(":") ? 6 : 4;
  }

  /** Looks up the host of the peer, then sends to it. */
  async #sendResolved({ to, sendTo }: Load): Promise<SentBatch> {
    try {
      return await sendTo(await this.lookUp(to as NetAddr));
    } catch (error) {
      return { sent: 0, error };
    }
  }

  async lookUp({ transport, hostname, port }: NetAddr): Promise<NetAddr> {
    const host = await this.#hosts.resolve(hostname, this.#family);
    return { transport, hostname: host, port };
  }

  /**
   * Returns the peer's refusal of what was just sent. On one machine it arrives
   * before the call that sends returns.
   */
  #refusal(): Error | undefined {
    if (this.#remote === undefined) return undefined;
    const errno = pendingError(this.#libc, this.#fd);
    return errno === 0 ? undefined : systemError(this.#libc, errno);
  }
}

function closed(): never {
  throw new errors.BadResource("closed");
}

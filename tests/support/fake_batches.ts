import {
  type Carrier,
  DatagramSocket,
  type DatagramSocketOptions,
  type Outgoing,
  type Run,
  type SentBatch,
} from "../../mod.ts";
import { LOCAL, PEER } from "./helpers.ts";

/** A carrier that receives and sends in batches, without a network. */
export class FakeBatchCarrier implements Carrier {
  readonly addr = LOCAL;
  /** The datagrams that were sent, in order. */
  readonly sent: string[] = [];
  /** How many datagrams the socket has received. */
  delivered = 0;
  /** How many calls of `receiveBatch` came while another was in flight. */
  overlaps = 0;
  /** Called by `sendBatch`. */
  onBatch: (batch: readonly Outgoing[]) => SentBatch | Promise<SentBatch> = (
    { length },
  ) => ({ sent: length });
  readonly #arrived: Run[][] = [];
  #reader: PromiseWithResolvers<readonly Run[]> | undefined;
  protected lent: Uint8Array[] = [];

  /** Whether a `receiveBatch` is in flight. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** Makes a batch arrive. */
  deliver(...runs: Run[]): void {
    this.#arrived.push(runs);
    this.#serve();
  }

  receiveBatch(): Promise<readonly Run[]> {
    if (this.#reader) {
      this.overlaps++;
      throw new Error("a second receiveBatch was called");
    }
    // The memory of a batch is valid only until the next call.
    for (const bytes of this.lent) bytes.fill(0xff);
    const reader = this.#reader = Promise.withResolvers<readonly Run[]>();
    this.#serve();
    return reader.promise;
  }

  async sendBatch(batch: readonly Outgoing[]): Promise<SentBatch> {
    const result = await this.onBatch(batch);
    for (const { data } of batch.slice(0, result.sent)) {
      this.sent.push(new TextDecoder().decode(data));
    }
    return result;
  }

  async send(data: Uint8Array, to: Deno.Addr): Promise<number> {
    await this.sendBatch([{ data, to }]);
    return data.length;
  }

  receive(): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    return Promise.reject(new Error("receive was called"));
  }

  close(): void {
    this.#reader?.reject(new Deno.errors.Interrupted("closed"));
    this.#reader = undefined;
  }

  #serve(): void {
    if (this.#reader === undefined || this.#arrived.length === 0) return;
    const { resolve } = this.#reader;
    this.#reader = undefined;
    const runs = this.#arrived.shift() ?? [];
    this.lent = [];
    resolve(runs.map((run) => {
      if (!(run?.data instanceof Uint8Array)) return run;
      const data = run.data.slice();
      this.lent.push(data);
      this.delivered += run.count;
      return { ...run, data, from: { ...run.from } };
    }));
  }
}

/** A carrier that also sends runs and leaves the memory of batches. */
export class FakeRunCarrier extends FakeBatchCarrier {
  /** Called by `sendRun` with the number of datagrams. */
  onRun: (count: number) => SentBatch | Promise<SentBatch> = (count) => ({
    sent: count,
  });
  /** How often the memory of a batch was left. */
  left = 0;
  /** The numbers of datagrams that `sendRun` was given. */
  readonly given: number[] = [];

  leaveBatch(): void {
    this.left++;
    this.lent = [];
  }

  async sendRun(
    data: Uint8Array,
    segmentSize: number,
    to: Deno.Addr,
  ): Promise<SentBatch> {
    const texts = textsOf(cut(data.slice(), segmentSize, to));
    this.given.push(texts.length);
    const result = await this.onRun(texts.length);
    this.sent.push(...texts.slice(0, result?.sent));
    return result;
  }
}

/** Returns the datagrams of a run as texts, by the loop that goes by `count`. */
export function textsOf({ data, segmentSize, count }: Run): string[] {
  return Array.from({ length: count }, (_, n) =>
    new TextDecoder().decode(
      data.subarray(n * segmentSize, (n + 1) * segmentSize),
    ));
}

/** Makes a run of datagrams of one length from their texts. */
export function run(texts: readonly string[], from: Deno.Addr = PEER): Run {
  const data = new TextEncoder().encode(texts.join(""));
  return cut(data, texts[0]?.length ?? 0, from);
}

/** Makes a run of datagrams of one size; the last may be shorter. */
export function cut(
  data: Uint8Array<ArrayBuffer>,
  segmentSize: number,
  from: Deno.Addr = PEER,
): Run {
  const count = segmentSize === 0 ? 1 : Math.ceil(data.length / segmentSize);
  return { data, segmentSize, from, truncated: false, count };
}

/** Makes a bound socket over a carrier that also sends runs. */
export function runBound(options?: DatagramSocketOptions) {
  const carrier = new FakeRunCarrier();
  return { carrier, socket: new DatagramSocket(carrier, options) };
}

/** Makes a bound socket over a carrier that receives and sends in batches. */
export function batchBound(options?: DatagramSocketOptions) {
  const carrier = new FakeBatchCarrier();
  return { carrier, socket: new DatagramSocket(carrier, options) };
}

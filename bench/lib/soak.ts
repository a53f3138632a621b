import { Buffer } from "node:buffer";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import type { BaseSocket } from "../../mod.ts";

// A run is so many datagrams at most, and so many runs go in a call: each run is
// then one packet for the kernel, which counts dropped packets.
const RUN = 64;
const RUNS = 16;
const HEAD = 8;
const LARGEST = 1000;
// How much longer than the run before a run may be.
const LONGER = Math.floor((LARGEST - HEAD - 5) / RUNS) - 1;
const PATTERN = crypto.getRandomValues(new Uint8Array(LARGEST + 256));

/** What became of the datagrams that went one way. */
export interface Ledger {
  sent: number;
  received: number;
  /** Whole runs that did not come. */
  lostRuns: number;
  /** Their datagrams. */
  lost: number;
  /** Packets, so runs, that the kernel says it dropped. */
  kernelDrops: number;
  bytes: number;
}

/**
 * Sends numbered datagrams of many lengths through two offload sockets, both
 * ways at once, and checks each: its bytes, its length, its place in the order.
 *
 * @param count How many datagrams, both ways together.
 * @throws {Error} One came that was not sent so, or out of order, or twice; or a
 * part of a run came without the rest.
 */
export async function soak(count: number): Promise<[Ledger, Ledger]> {
  await using server = bind("udp://127.0.0.1:0", { carrier: offload() });
  await using client = await connect(server.addr, { carrier: offload() });
  const there = new Way(count / 2);
  const back = new Way(count / 2);
  const to = client.addr;
  await Promise.all([
    there.receive(server),
    back.receive(client),
    there.send((messages) => client.sendMany(messages)),
    back.send((messages) =>
      server.sendMany(messages.map((data) => ({ data, to })))
    ),
  ]);
  return [await there.ledger(server), await back.ledger(client)];
}

class Way {
  readonly #count: number;
  // Where each run begins; runs that came or were lost are forgotten.
  readonly #runs: { first: number; size: number; length: number }[] = [];
  readonly #stop = new AbortController();
  #sent = 0;
  #expected = 0;
  #received = 0;
  #bytes = 0;
  #lostRuns = 0;
  #lost = 0;

  constructor(count: number) {
    this.#count = count;
  }

  async send(
    sendMany: (messages: Uint8Array[]) => Promise<number>,
  ): Promise<void> {
    while (this.#sent < this.#count) {
      const messages: Uint8Array[] = [];
      // Ever longer ones, as a shorter one would end the run before it.
      let size = HEAD + this.#sent % 5;
      for (let run = 0; run < RUNS && this.#sent < this.#count; run++) {
        const length = Math.min(
          1 + (this.#sent * 7 + run * 13) % RUN,
          this.#count - this.#sent,
        );
        this.#runs.push({ first: this.#sent, size, length });
        for (let i = 0; i < length; i++) messages.push(this.#make(size));
        size += 1 + (this.#sent + run * 17) % LONGER;
      }
      await sendMany(messages);
      // The receiver is in the same process.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What is on its way over loopback is there when the send returns.
    this.#stop.abort();
  }

  async receive(socket: BaseSocket<Deno.NetAddr>): Promise<void> {
    const { signal } = this.#stop;
    try {
      for await (const batch of socket.batches({ max: 4096, signal })) {
        for (const { data } of batch) this.#check(data);
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
    let last;
    while ((last = await socket.tryReceive()) !== undefined) {
      this.#check(last.data);
    }
    this.#skipTo(this.#sent);
  }

  async ledger(receiver: BaseSocket<Deno.NetAddr>): Promise<Ledger> {
    return {
      sent: this.#sent,
      received: this.#received,
      lostRuns: this.#lostRuns,
      lost: this.#lost,
      kernelDrops: await receiver.kernelDrops() ?? NaN,
      bytes: this.#bytes,
    };
  }

  #make(size: number): Uint8Array {
    const data = new Uint8Array(size);
    const n = this.#sent++;
    const view = new DataView(data.buffer);
    view.setFloat64(0, n);
    data.set(PATTERN.subarray(n % 256, n % 256 + size - HEAD), HEAD);
    return data;
  }

  #check(data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const n = view.getFloat64(0);
    if (n !== this.#expected) this.#skipTo(n);
    const [run] = this.#runs;
    const size = data.length;
    const from = n % 256;
    const body = Buffer.from(data.buffer, data.byteOffset + HEAD, size - HEAD);
    if (
      size !== run.size ||
      !body.equals(PATTERN.subarray(from, from + size - HEAD))
    ) throw new Error(`datagram ${n} is not as it was sent`);
    this.#expected = n + 1;
    this.#received++;
    this.#bytes += size;
    if (this.#expected === run.first + run.length) this.#runs.shift();
  }

  /** What lies before that one was lost: whole runs, or something is wrong. */
  #skipTo(n: number): void {
    while (this.#expected < n) {
      const run = this.#runs.shift();
      if (run === undefined || run.first !== this.#expected) {
        throw new Error(`part of a run is missing before datagram ${n}`);
      }
      this.#lostRuns++;
      this.#lost += run.length;
      this.#expected += run.length;
    }
    if (n !== this.#expected) throw new Error(`datagram ${n} is out of order`);
  }
}

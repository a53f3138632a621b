import { Buffer } from "node:buffer";
import { bind, connect } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { sendMarks } from "./mark.ts";
import type {
  BaseSocket,
  Carrier,
  CarrierSource,
  SentBatch,
} from "../../mod.ts";

// The datagrams in a run, at most, and the runs in a call: each run is then one
// packet for the kernel, which counts dropped packets.
const RUN = 64;
const RUNS = 16;
const HEAD = 8;
const LARGEST = 1000;
// By how many bytes the datagrams of a run may be longer than those before.
const LONGER = Math.floor((LARGEST - HEAD - 5) / RUNS) - 1;
const PATTERN = crypto.getRandomValues(new Uint8Array(LARGEST + 256));

/** The datagrams of one direction, and what became of them. */
export interface Ledger {
  sent: number;
  received: number;
  /** Whole runs that did not arrive. */
  lostRuns: number;
  /** The datagrams of those runs. */
  lost: number;
  /** The packets, which are runs, that the kernel counted as dropped. */
  kernelDrops: number;
  bytes: number;
}

/**
 * Sends numbered datagrams of many lengths through two offload sockets, in both
 * directions at once, and checks the bytes, the length and the order of each.
 *
 * @param count The number of datagrams, both directions together.
 * @throws {Error} A datagram arrived changed, out of order or twice, or only a
 * part of a run arrived.
 */
export async function soak(count: number): Promise<[Ledger, Ledger]> {
  const there = new Direction(count / 2);
  const back = new Direction(count / 2);
  await using server = bind("udp://127.0.0.1:0", { carrier: back.carrier() });
  await using client = await connect(server.addr, { carrier: there.carrier() });
  const to = client.addr;
  await Promise.all([
    there.receive(server, () => client.send("")),
    back.receive(client, () => server.send("", to)),
    there.send((messages) => client.sendMany(messages)),
    back.send((messages) =>
      server.sendMany(messages.map((data) => ({ data, to })))
    ),
  ]);
  return [there.ledger(), back.ledger()];
}

class Direction {
  readonly #count: number;
  // The runs that are on their way.
  readonly #runs: { first: number; size: number; length: number }[] = [];
  readonly #allSent = Promise.withResolvers<void>();
  #sent = 0;
  // How many of them were given to the kernel.
  #given = 0;
  #expected = 0;
  #received = 0;
  #bytes = 0;
  #lostRuns = 0;
  #lost = 0;
  #kernelDrops = NaN;

  constructor(count: number) {
    this.#count = count;
  }

  /** Returns the carrier for the sender, which notes where batches and runs begin. */
  carrier(): CarrierSource {
    const noting = (carrier: Carrier): Carrier => {
      const sendBatch = carrier.sendBatch!.bind(carrier);
      const sendRun = carrier.sendRun!.bind(carrier);
      const noted = <A extends unknown[]>(
        send: (...args: A) => Promise<SentBatch> | SentBatch,
      ) =>
      async (...args: A) => {
        this.#cut();
        const result = await send(...args);
        this.#given += result.sent;
        return result;
      };
      return Object.assign(carrier, {
        sendBatch: noted(sendBatch),
        sendRun: noted(sendRun),
      });
    };
    const source = offload();
    return {
      ...source,
      listen: (address) => noting(source.listen(address)),
      dial: async (address, options) =>
        noting(await source.dial!(address, options)),
    };
  }

  /** Divides the run of which a batch, cut short by a turn, sent the first part. */
  #cut(): void {
    const at = this.#given;
    const run = this.#runs.find(({ first, length }) =>
      first < at && at < first + length
    );
    if (run === undefined) return;
    const length = at - run.first;
    // The first part may have arrived already.
    const sent = this.#expected === at ? [] : [{ ...run, length }];
    const rest = { ...run, first: at, length: run.length - length };
    this.#runs.splice(this.#runs.indexOf(run), 1, ...sent, rest);
  }

  async send(
    sendMany: (messages: Uint8Array[]) => Promise<number>,
  ): Promise<void> {
    while (this.#sent < this.#count) {
      const messages: Uint8Array[] = [];
      // Each run is of longer datagrams, as a shorter one would end the run
      // before it.
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
      // The receiver runs in the same process.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#allSent.resolve();
  }

  /** Receives all. @param mark Sends an empty datagram. */
  async receive(
    socket: BaseSocket<Deno.NetAddr>,
    mark: () => Promise<void>,
  ): Promise<void> {
    const received = this.#receive(socket);
    await Promise.race([this.#allSent.promise, received]);
    // Over loopback a datagram has arrived when its send returns.
    this.#kernelDrops = await socket.kernelDrops() ?? NaN;
    await sendMarks(mark, received);
    this.#skipTo(this.#sent);
  }

  async #receive(socket: BaseSocket<Deno.NetAddr>): Promise<void> {
    for await (const batch of socket.batches({ max: 4096 })) {
      for (const { data } of batch) {
        if (data.length === 0) return;
        this.#check(data);
      }
    }
  }

  ledger(): Ledger {
    return {
      sent: this.#sent,
      received: this.#received,
      lostRuns: this.#lostRuns,
      lost: this.#lost,
      kernelDrops: this.#kernelDrops,
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
      size !== run?.size ||
      !body.equals(PATTERN.subarray(from, from + size - HEAD))
    ) throw new Error(`datagram ${n} is not as it was sent`);
    this.#expected = n + 1;
    this.#received++;
    this.#bytes += size;
    if (this.#expected === run.first + run.length) this.#runs.shift();
  }

  /** Counts everything before that datagram as lost, which must be whole runs. */
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

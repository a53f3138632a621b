import { assert, assertEquals } from "@std/assert";
import {
  ConnectedSocket,
  type Datagram,
  DatagramSocket,
  type SocketStats,
} from "../mod.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  FakeClock,
} from "./support/fakes.ts";
import {
  pattern,
  PEER,
  random,
  SOON,
  STRANGER,
  testBoth,
  turn,
} from "./support/helpers.ts";

const MAX_SIZE = 8;

function dropped({ dropped }: SocketStats): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

testBoth("a new socket has counted nothing", async (open) => {
  await using pair = await open();
  const { withheld, ...counts } = pair.socket.stats;
  assertEquals(Object.values(withheld).filter((n) => n > 0), []);
  assertEquals(counts, {
    received: 0,
    bytes: 0,
    truncated: 0,
    waiting: 0,
    sent: 0,
    sentBytes: 0,
    sendFailed: 0,
    dropped: { stranger: 0, queueFull: 0, closed: 0 },
  });
});

testBoth("stats count datagrams and bytes", async (open) => {
  await using pair = await open({ maxSize: MAX_SIZE });
  for (const size of [3, 0, 20]) await pair.send(pattern(size));
  for (let i = 0; i < 3; i++) await pair.socket.receive(SOON);
  const { received, bytes, truncated, waiting } = pair.socket.stats;
  assertEquals(
    { received, bytes, truncated, waiting },
    { received: 3, bytes: 11, truncated: 1, waiting: 0 },
  );
});

Deno.test("stats are a copy that does not change", async () => {
  const { carrier, socket } = fakeBound();
  const before = socket.stats;
  const copy = structuredClone(before);
  carrier.deliver("a");
  await socket.receive();
  await socket.send("b", PEER);
  assertEquals(before, copy);
  assert(socket.stats !== before);
  socket.close();
});

Deno.test("what the carrier lost is among the dropped, under its own reasons", () => {
  const carrier = Object.assign(new FakeCarrier({}), {
    drops: () => ({ "late": 3 }),
  });
  const socket = new DatagramSocket(carrier);
  assertEquals(socket.stats.dropped, {
    stranger: 0,
    queueFull: 0,
    closed: 0,
    late: 3,
  });
  socket.close();
});

Deno.test("a reason that socket and carrier share is their sum", async () => {
  const carrier = Object.assign(new FakeCarrier({}), {
    drops: () => ({ stranger: 3 }),
  });
  const socket = new ConnectedSocket(carrier, PEER);
  carrier.deliver("psst", STRANGER);
  carrier.deliver("hello");
  await socket.receive();
  assertEquals(socket.stats.dropped.stranger, 4);
  socket.close();
});

for (let seed = 1; seed <= 40; seed++) {
  Deno.test(`the stats add up, whatever the program does (random sequence ${seed})`, () =>
    new Run(seed).run());
}

/** One random sequence of operations over a fake carrier that counts. */
class Run {
  readonly #below: (limit: number) => number;
  readonly #clock = new FakeClock();
  readonly #carrier: FakeCarrier;
  readonly #socket: DatagramSocket | ConnectedSocket;
  readonly #waits: { done: Promise<void>; abort: AbortController }[] = [];
  readonly #got = new Set<number>();
  readonly #expected = { received: 0, bytes: 0, truncated: 0 };
  #last = -1;
  #arrivals = 0;
  #sendCalls = 0;

  constructor(seed: number) {
    this.#below = random(seed);
    const options = { clock: this.#clock, maxSize: MAX_SIZE };
    const { carrier, socket } = seed % 2 === 0
      ? fakeBound(options)
      : fakeClient(options);
    this.#carrier = carrier;
    this.#socket = socket;
    this.#countSends();
  }

  async run(): Promise<void> {
    const operations = [
      () => this.#arrive(1 + this.#below(4)),
      () => this.#arrive(this.#below(10) === 0 ? 600 : 1),
      () => this.#receive(),
      () => this.#receive({ timeoutMs: this.#below(2) }),
      () => this.#tryReceive(),
      () => this.#iterate(),
      () => this.#send(),
      () => this.#request(),
      () => this.#clock.advance(this.#below(3)),
      () => this.#waits[this.#below(this.#waits.length)]?.abort.abort(),
      () => this.#carrier.fail(new Deno.errors.ConnectionRefused("no")),
    ];
    for (let i = 0; i < 300; i++) {
      await operations[this.#below(operations.length)]();
      if (this.#below(2) === 0) await this.#check();
      else await Promise.resolve();
    }
    this.#socket.close();
    this.#receive();
    this.#send();
    this.#request();
    await Promise.all(this.#waits.map(({ done }) => done));
    await this.#check();
    assertEquals(this.#socket.stats.waiting, 0);
    assertEquals(this.#clock.timers, 0);
    assert(this.#got.size > 20, `only ${this.#got.size} were received`);
  }

  async #check(): Promise<void> {
    await turn();
    const { stats } = this.#socket;
    const { received, bytes, truncated, waiting } = stats;
    assertEquals({ received, bytes, truncated }, this.#expected);
    assertEquals(received + waiting + dropped(stats), this.#carrier.delivered);
    assertEquals(stats.sent + stats.sendFailed, this.#sendCalls);
    assert(waiting <= 256);
  }

  #note(datagram: Datagram): void {
    this.#expected.received++;
    this.#expected.bytes += datagram.data.length;
    if (datagram.truncated) this.#expected.truncated++;
    const id = parseInt(datagram.text());
    assert(!this.#got.has(id), "it came twice");
    // Requests pick what they match; without them the order is the carrier's.
    if (this.#socket instanceof DatagramSocket) assert(id > this.#last);
    this.#last = id;
    this.#got.add(id);
  }

  #countSends(): void {
    this.#carrier.onSend = (data) =>
      this.#below(4) === 0
        ? Promise.reject(new Deno.errors.NetworkUnreachable("no"))
        : Promise.resolve(data.length);
    const socket = this.#socket;
    if (socket instanceof ConnectedSocket) {
      const { send } = socket;
      socket.send = (...args) => (this.#sendCalls++, send.apply(socket, args));
    } else {
      const { send } = socket;
      socket.send = (...args) => (this.#sendCalls++, send.apply(socket, args));
    }
  }

  #arrive(count: number): void {
    for (let i = 0; i < count; i++) {
      const text = `${this.#arrivals++}.`.padEnd(this.#below(12), "x");
      this.#carrier.deliver(text, this.#below(5) === 0 ? STRANGER : PEER);
    }
  }

  /** Waits for a datagram, and holds what it may be aborted by. */
  #wait(
    start: (signal: AbortSignal) => Promise<Datagram | undefined>,
  ): void {
    const abort = new AbortController();
    const done = start(abort.signal).then((datagram) => {
      if (datagram !== undefined) this.#note(datagram);
    }, () => {});
    this.#waits.push({ done, abort });
  }

  #receive(options = {}): void {
    this.#wait((signal) => this.#socket.receive({ ...options, signal }));
  }

  #tryReceive(): void {
    this.#wait(() => this.#socket.tryReceive());
  }

  async #iterate(): Promise<void> {
    const iterator = this.#socket[Symbol.asyncIterator]();
    this.#wait(async () => (await iterator.next()).value);
    if (this.#below(2) === 0) await turn();
    await iterator.return?.();
  }

  #send(): void {
    const data = pattern(this.#below(4) === 0 ? 65_508 : this.#below(20));
    const sending = this.#socket instanceof ConnectedSocket
      ? this.#socket.send(data)
      : this.#socket.send(data, this.#below(4) === 0 ? "nonsense" : PEER);
    sending.catch(() => {});
  }

  #request(): void {
    const socket = this.#socket;
    if (!(socket instanceof ConnectedSocket)) return;
    const options = {
      timeoutMs: this.#below(4),
      retries: this.#below(2),
      ...(this.#below(2) === 0
        ? { match: ({ data }: Datagram) => data[0] % 3 === 0 }
        : {}),
    };
    this.#wait((signal) => socket.request("ping", { ...options, signal }));
  }
}

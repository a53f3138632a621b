import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  ConnectedSocket,
  type Datagram,
  DatagramSocket,
  type RequestOptions,
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
    sending: 0,
    unreachable: 0,
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
  assertEquals(socket.stats.dropped["stranger"], 4);
  socket.close();
});

/** A socket over a fake carrier, and what it must have counted. */
class World {
  readonly clock = new FakeClock();
  readonly carrier: FakeCarrier;
  readonly socket: DatagramSocket | ConnectedSocket;
  readonly waits: { done: Promise<void>; abort: AbortController }[] = [];
  readonly got = new Set<number>();
  sendsFail = false;
  readonly #expected = { received: 0, bytes: 0, truncated: 0 };
  readonly #failures: unknown[] = [];
  #last = -1;
  #arrivals = 0;
  #sendCalls = 0;

  constructor(open: typeof fakeBound | typeof fakeClient) {
    const options = { clock: this.clock, maxSize: MAX_SIZE };
    const { carrier, socket } = open(options);
    this.carrier = carrier;
    this.socket = socket;
    carrier.onSend = (data) =>
      this.sendsFail
        ? Promise.reject(new Deno.errors.NetworkUnreachable("no"))
        : Promise.resolve(data.length);
    this.#countSends();
  }

  /** What has settled so far adds up. */
  async check(): Promise<void> {
    await turn();
    if (this.#failures.length > 0) throw this.#failures[0];
    const { stats } = this.socket;
    const { received, bytes, truncated, waiting } = stats;
    assertEquals({ received, bytes, truncated }, this.#expected);
    assertEquals(received + waiting + dropped(stats), this.carrier.delivered);
    assertEquals(stats.sent + stats.sendFailed, this.#sendCalls);
    assert(waiting <= 256);
  }

  /** Closes the socket; everything that waited ends, and nothing is left. */
  async end(): Promise<void> {
    this.socket.close();
    this.receive();
    this.send(pattern(1));
    this.request({});
    await Promise.all(this.waits.map(({ done }) => done));
    await this.check();
    assertEquals(this.socket.stats.waiting, 0);
    assertEquals(this.clock.timers, 0);
  }

  arrive({ size, isStranger }: { size: number; isStranger: boolean }): void {
    const text = `${this.#arrivals++}.`.padEnd(size, "x");
    this.carrier.deliver(text, isStranger ? STRANGER : PEER);
  }

  receive(options: { timeoutMs?: number } = {}): void {
    this.wait((signal) => this.socket.receive({ ...options, signal }));
  }

  send(data: Uint8Array, to: string | Deno.NetAddr = PEER): void {
    const sending = this.socket instanceof ConnectedSocket
      ? this.socket.send(data)
      : this.socket.send(data, to);
    sending.catch(() => {});
  }

  request(options: RequestOptions): void {
    const { socket } = this;
    if (!(socket instanceof ConnectedSocket)) return;
    this.wait((signal) => socket.request("ping", { ...options, signal }));
  }

  /** Waits for a datagram; the wait can be aborted later. */
  wait(start: (signal: AbortSignal) => Promise<Datagram | undefined>): void {
    const abort = new AbortController();
    const done = start(abort.signal)
      .then((datagram) => datagram && this.#note(datagram), () => {})
      .catch((failure) => void this.#failures.push(failure));
    this.waits.push({ done, abort });
  }

  #note(datagram: Datagram): void {
    this.#expected.received++;
    this.#expected.bytes += datagram.data.length;
    if (datagram.truncated) this.#expected.truncated++;
    const id = parseInt(datagram.text());
    assert(!this.got.has(id), "it was received twice");
    // Requests take what they match; without them the order is the carrier's.
    if (this.socket instanceof DatagramSocket) assert(id > this.#last);
    this.#last = id;
    this.got.add(id);
  }

  #countSends(): void {
    const socket: { send: (...args: never[]) => Promise<void> } = this.socket;
    const { send } = socket;
    socket.send = (...args) => {
      this.#sendCalls++;
      return send.apply(socket, args);
    };
  }
}

type Command = fc.AsyncCommand<Record<never, never>, World>;

/** A command that operates on the world and then, or not, lets it settle. */
function command<T>(
  name: string,
  input: fc.Arbitrary<T>,
  operate: (world: World, input: T) => void | Promise<void>,
): fc.Arbitrary<Command> {
  return fc.tuple(input, fc.boolean()).map(([input, settles]): Command => ({
    check: () => true,
    async run(_, world) {
      await operate(world, input);
      if (settles) await world.check();
      else await Promise.resolve();
    },
    toString: () =>
      `${name}(${fc.stringify(input)})${settles ? ", check" : ""}`,
  }));
}

const none = fc.constant(undefined);
const oneIn = (n: number) => fc.nat(n - 1).map((i) => i === n - 1);
const arrival = fc.record({ size: fc.nat(11), isStranger: oneIn(5) });

const COMMANDS = [
  command(
    "arrive",
    fc.array(arrival, { minLength: 1, maxLength: 4 }),
    (world, arrivals) => arrivals.forEach((arrival) => world.arrive(arrival)),
  ),
  command(
    "flood",
    fc.tuple(oneIn(10), arrival),
    (world, [isFlood, arrival]) => {
      for (let n = isFlood ? 600 : 1; n > 0; n--) world.arrive(arrival);
    },
  ),
  command("receive", none, (world) => world.receive()),
  command(
    "receiveWithin",
    fc.nat(1),
    (world, timeoutMs) => world.receive({ timeoutMs }),
  ),
  command(
    "tryReceive",
    none,
    (world) => world.wait(() => world.socket.tryReceive()),
  ),
  command("iterate", fc.boolean(), async (world, waits) => {
    const iterator = world.socket[Symbol.asyncIterator]();
    world.wait(async () => (await iterator.next()).value);
    if (waits) await turn();
    await iterator.return?.();
  }),
  command("sendsFail", oneIn(3), (world, fail) => {
    world.sendsFail = fail;
  }),
  command(
    "send",
    fc.tuple(fc.constantFrom(0, 3, 19, 65_508), oneIn(4)),
    (world, [size, isInvalid]) =>
      world.send(pattern(size), isInvalid ? "nonsense" : PEER),
  ),
  command(
    "request",
    fc.record({
      timeoutMs: fc.nat(3),
      retries: fc.nat(1),
      matches: fc.boolean(),
    }),
    (world, { matches, ...limits }) => {
      const match = ({ data }: Datagram) => data[0]! % 3 === 0;
      world.request(matches ? { ...limits, match } : limits);
    },
  ),
  command("advance", fc.nat(2), (world, ms) => world.clock.advance(ms)),
  command(
    "abort",
    fc.nat(300),
    ({ waits }, n) => waits[n % (waits.length || 1)]?.abort.abort(),
  ),
  command(
    "fail",
    none,
    (world) => world.carrier.fail(new Deno.errors.ConnectionRefused("no")),
  ),
];

const RUNS = 40;
for (
  const [kind, open] of Object.entries({
    bound: fakeBound,
    connected: fakeClient,
  })
) {
  Deno.test(`${kind}: the stats add up, whatever the program does`, async () => {
    let got = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.commands(COMMANDS, { maxCommands: 300, size: "max" }),
        async (commands) => {
          const world = new World(open);
          await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
          await world.end();
          got += world.got.size;
        },
      ),
      { numRuns: RUNS },
    );
    assert(got > 20 * RUNS, `only ${got} datagrams were received`);
  });
}

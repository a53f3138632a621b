import {
  type Answer,
  type Carrier,
  type CarrierSource,
  type Clock,
  ConnectedSocket,
  type Data,
  type Datagram,
  DatagramSocket,
  type DatagramSocketOptions,
  serve,
  type ServeOptions,
  type SocketOptions,
} from "../../mod.ts";
import { systemClock } from "../../lib/clock.ts";
import { bytesOf, LOCAL, PEER } from "./helpers.ts";

/** A clock whose time passes only by `advance`. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  /** How many timers run. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  turn(callback: () => void): () => void {
    return this.after(0, callback);
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = until;
  }
}

interface Reader {
  buffer: Uint8Array;
  resolve(result: [Uint8Array<ArrayBuffer>, Deno.Addr]): void;
  reject(error: unknown): void;
}

/**
 * A carrier without a network: tests decide what arrives and see what was sent.
 * As with Deno's own, datagrams wait until they are read and are cut to the
 * buffer, and closing rejects a pending `receive`. A second concurrent `receive`
 * is an error.
 */
export class FakeCarrier implements Carrier {
  readonly addr: Deno.NetAddr;
  readonly clock: Clock | undefined;
  /** How many datagrams the socket has received. */
  delivered = 0;
  /** How many calls of `receive` came while another was in flight. */
  overlaps = 0;
  /** The datagrams that were sent, in order. */
  readonly sent: { data: Uint8Array; to: Deno.Addr }[] = [];
  /** Whether a pending `receive` keeps the program running. */
  isReferenced = true;
  /** The calls of `close`. */
  readonly calls: string[] = [];
  /** Called by `send` after the call was recorded. */
  onSend: (data: Uint8Array, to: Deno.Addr) => Promise<number> = (data) =>
    Promise.resolve(data.length);
  readonly #queue: ({ data: Uint8Array; from: Deno.Addr } | Error)[] = [];
  #reader: Reader | undefined;

  constructor(
    { addr = LOCAL, clock }: { addr?: Deno.NetAddr; clock?: Clock | undefined },
  ) {
    this.addr = addr;
    this.clock = clock;
  }

  /** Whether a `receive` is in flight. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** How many datagrams and errors have not been read. */
  get queued(): number {
    return this.#queue.length;
  }

  /** The texts of the datagrams that were sent. */
  get sentTexts(): string[] {
    return this.sent.map(({ data }) => new TextDecoder().decode(data));
  }

  /** Makes a datagram arrive. */
  deliver(data: Data, from: Deno.Addr = PEER): void {
    this.#queue.push({ data: bytesOf(data), from: { ...from } });
    this.#serve();
  }

  /** Makes a `receive` reject. */
  fail(error: Error): void {
    this.#queue.push(error);
    this.#serve();
  }

  receive(
    buffer: Uint8Array = new Uint8Array(65_536),
  ): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    if (this.#reader) {
      this.overlaps++;
      throw new Error("a second receive was called");
    }
    return new Promise((resolve, reject) => {
      this.#reader = { buffer, resolve, reject };
      this.#serve();
    });
  }

  send(data: Uint8Array, to: Deno.Addr): Promise<number> {
    this.sent.push({ data: data.slice(), to });
    return this.onSend(data, to);
  }

  close(): void {
    this.calls.push("close");
    this.#reader?.reject(new Deno.errors.Interrupted("closed"));
    this.#reader = undefined;
  }

  ref(): void {
    this.isReferenced = true;
  }

  unref(): void {
    this.isReferenced = false;
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const arrival = this.#queue.shift();
    if (arrival === undefined) return;
    this.#reader = undefined;
    if (arrival instanceof Error) return reader.reject(arrival);
    this.delivered++;
    const { buffer } = reader as { buffer: Uint8Array<ArrayBuffer> };
    const data = arrival.data.subarray(0, buffer.length);
    buffer.set(data);
    reader.resolve([buffer.subarray(0, data.length), arrival.from]);
  }
}

/** Makes a source that returns the one carrier to `bind` and to `connect`. */
export function sourceOf(carrier: Carrier): CarrierSource {
  return { listen: () => carrier, dial: () => Promise.resolve(carrier) };
}

/** Makes a socket for one peer over a fake carrier. */
export function fakeClient(
  options: SocketOptions & {
    clock?: Clock | undefined;
    remote?: Deno.NetAddr;
  } = {},
): { carrier: FakeCarrier; socket: ConnectedSocket } {
  const { clock, remote = PEER } = options;
  const carrier = new FakeCarrier({ clock });
  return { carrier, socket: new ConnectedSocket(carrier, remote, options) };
}

/** Makes a socket for many peers over a fake carrier. */
export function fakeBound(
  options: DatagramSocketOptions & { clock?: Clock | undefined } = {},
): { carrier: FakeCarrier; socket: DatagramSocket } {
  const carrier = new FakeCarrier({ clock: options.clock });
  return { carrier, socket: new DatagramSocket(carrier, options) };
}

/** Makes a client whose time passes only by `clock.advance`. */
export function clockedClient() {
  const clock = new FakeClock();
  return { clock, ...fakeClient({ clock }) };
}

// How long a step takes must not show: no turn follows a slow one.
const STEADY_CLOCK: Clock = { ...systemClock, isVirtual: true };

/** Starts a server over a fake carrier, and collects its errors. */
export function fakeServer(
  handler: (datagram: Datagram<Deno.NetAddr>) => Answer | Promise<Answer>,
  { clock = STEADY_CLOCK, ...options }: ServeOptions & {
    clock?: Clock | undefined;
  } = {},
) {
  const carrier = new FakeCarrier({ clock });
  const errors: [error: unknown, datagram?: Datagram | undefined][] = [];
  const server = serve("udp://127.0.0.1:62000", handler, {
    carrier: sourceOf(carrier),
    onError: (...args) => void errors.push(args),
    ...options,
  });
  return { carrier, errors, server };
}

/** Makes a signal that counts its listeners. */
export function countingSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (
    ...args: Parameters<typeof addEventListener>
  ) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (
    ...args: Parameters<typeof removeEventListener>
  ) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  return {
    signal,
    listeners: () => listeners,
    abort: () => controller.abort(),
  };
}

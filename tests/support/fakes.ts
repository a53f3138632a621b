import {
  type Answer,
  type Carrier,
  type CarrierSource,
  type Clock,
  ConnectedSocket,
  type Data,
  type Datagram,
  DatagramSocket,
  serve,
  type ServeOptions,
  type SocketOptions,
} from "../../mod.ts";
import { bytesOf, LOCAL, PEER } from "./helpers.ts";

/** Time that passes only by `advance`. */
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
 * A carrier without a network: tests say what arrives and see what was sent. As
 * with Deno's own, what arrives waits until it is read and is cut to the buffer,
 * and closing rejects a pending `receive`. Two at a time are an error.
 */
export class FakeCarrier implements Carrier {
  readonly addr: Deno.NetAddr;
  readonly clock?: Clock;
  /** Datagrams that the socket took. */
  delivered = 0;
  /** What was sent, in order. */
  readonly sent: { data: Uint8Array; to: Deno.Addr }[] = [];
  /** The calls of `ref`, `unref` and `close`, in order. */
  readonly calls: string[] = [];
  /** What `send` does after it noted the call. */
  onSend: (data: Uint8Array, to: Deno.Addr) => Promise<number> = (data) =>
    Promise.resolve(data.length);
  readonly #queue: ({ data: Uint8Array; from: Deno.Addr } | Error)[] = [];
  #reader: Reader | undefined;

  constructor({ addr = LOCAL, clock }: { addr?: Deno.NetAddr; clock?: Clock }) {
    this.addr = addr;
    this.clock = clock;
  }

  /** Whether a `receive` is in flight. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** How many arrivals have not been read. */
  get queued(): number {
    return this.#queue.length;
  }

  /** The texts of what was sent. */
  get sentTexts(): string[] {
    return this.sent.map(({ data }) => new TextDecoder().decode(data));
  }

  /** Lets a datagram arrive. */
  deliver(data: Data, from: Deno.Addr = PEER): void {
    this.#queue.push({ data: bytesOf(data), from });
    this.#serve();
  }

  /** Lets a `receive` reject. */
  fail(error: Error): void {
    this.#queue.push(error);
    this.#serve();
  }

  receive(
    buffer: Uint8Array = new Uint8Array(65_536),
  ): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    if (this.#reader) throw new Error("a second receive was called");
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
    this.calls.push("ref");
  }

  unref(): void {
    this.calls.push("unref");
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

/** A source that hands out the one carrier, to `bind` and to `connect`. */
export function sourceOf(carrier: Carrier): CarrierSource {
  return { listen: () => carrier, dial: () => Promise.resolve(carrier) };
}

/** A client that has one peer, over a fake carrier. */
export function fakeClient(
  options: SocketOptions & { clock?: Clock; remote?: Deno.NetAddr } = {},
): { carrier: FakeCarrier; socket: ConnectedSocket } {
  const { clock, remote = PEER } = options;
  const carrier = new FakeCarrier({ clock });
  return { carrier, socket: new ConnectedSocket(carrier, remote, options) };
}

/** A socket that has many peers, over a fake carrier. */
export function fakeBound(
  options: SocketOptions & { clock?: Clock } = {},
): { carrier: FakeCarrier; socket: DatagramSocket } {
  const carrier = new FakeCarrier({ clock: options.clock });
  return { carrier, socket: new DatagramSocket(carrier, options) };
}

/** A client over a fake carrier whose time passes only by `clock.advance`. */
export function clockedClient() {
  const clock = new FakeClock();
  return { clock, ...fakeClient({ clock }) };
}

/** A server over a fake carrier; its errors are collected. */
export function fakeServer(
  handler: (datagram: Datagram<Deno.NetAddr>) => Answer | Promise<Answer>,
  { clock, ...options }: ServeOptions & { clock?: Clock } = {},
) {
  const carrier = new FakeCarrier({ clock });
  const errors: [error: unknown, datagram?: Datagram][] = [];
  const server = serve("udp://127.0.0.1:62000", handler, {
    carrier: sourceOf(carrier),
    onError: (...args) => void errors.push(args),
    ...options,
  });
  return { carrier, errors, server };
}

/** A signal that knows how many listeners it has. */
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

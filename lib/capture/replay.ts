import type { NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { CarrierSource } from "../carrier.ts";
import {
  outOfRange,
  requireOptions,
  requireSignal,
  wholeNumber,
  wrongType,
} from "../check.ts";
import type { Clock } from "../clock.ts";
import { bind } from "../open.ts";
import { reporter } from "../warnings.ts";
import {
  Player,
  type Replayable,
  type ReplayStats,
  type Sender,
} from "./player.ts";

const ACTION = "replay";

/** The parts of a simulated network that `replay` uses. */
export interface ReplayNetwork {
  /** Its time. */
  readonly clock: Clock;
  /** Returns the carrier source of a host. */
  host(hostname: string): CarrierSource;
  /** Calls a function while the network's time stands still. */
  real<T>(job: () => T | Promise<T>): Promise<T>;
}

/** What is replayed, and how fast. */
export interface ReplayOptions {
  /** How many times as fast as it was captured; `Infinity` for at once. @default {1} */
  speed?: number | undefined;
  /** Datagrams per second instead, whatever their times are. @default {as captured} */
  rate?: number | undefined;
  /** Only datagrams to this port. @default {all} */
  port?: number | undefined;
  /** Only datagrams from these networks, as `10.0.0.0/8`. @default {all} */
  from?: readonly string[] | undefined;
  /** Ends the replay when it aborts. */
  signal?: AbortSignal | undefined;
  /**
   * Called with the error of each datagram that could not be sent.
   * @default {prints each kind of error once to standard error}
   */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Replays a capture on a simulated network, in its time: each datagram is sent from
 * the address of its sender to the address of its receiver, in the order and at
 * the distances of the capture. So a capture is a fixture.
 *
 * Inside `network.run` its time stands still while the capture is read. The
 * senders are bound while it runs. A sender whose address the program has bound
 * itself, such as the server in a capture of both directions, is left to the
 * program: its datagrams count as `failed`. At most 256 senders are bound at a
 * time. Replies to them are not read.
 *
 * @param capture What `readCapture` returns, or any datagrams.
 * @returns What was sent, when all is.
 * @throws {CaptureError} The file is broken. What it had before was sent.
 * @throws {RangeError} An option is out of range.
 * @throws {TypeError} An option is of the wrong type.
 * @throws {InvalidAddressError} `from` has something else than a network.
 *
 * @example
 * ```ts
 * import { bind } from "@pli/datagram";
 * import { CaptureEncoder, readCapture, replay } from "@pli/datagram/capture";
 * import { simulateNetwork } from "@pli/datagram/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new CaptureEncoder();
 * const packet = encoder.encode({
 *   time: 0n,
 *   from: { transport: "udp", hostname: "10.0.0.2", port: 40_000 },
 *   to: { transport: "udp", hostname: "10.0.0.1", port: 53 },
 *   data: new TextEncoder().encode("ping"),
 * });
 * const network = simulateNetwork();
 * await network.run(async () => {
 *   await using server = bind("udp://10.0.0.1:53", { carrier: network });
 *   await replay(readCapture([encoder.header, packet!]), network);
 *   assertEquals((await server.receive()).text(), "ping");
 * });
 * ```
 */
export async function replay(
  capture: Iterable<Replayable> | AsyncIterable<Replayable>,
  network: ReplayNetwork,
  options: ReplayOptions = {},
): Promise<ReplayStats> {
  requireOptions(ACTION, options);
  const { speed = 1, rate, port, from, onError } = options;
  const { signal = new AbortController().signal } = options;
  requireSignal(ACTION, signal);
  for (const [name, value] of Object.entries({ speed, rate })) {
    if (value === undefined || typeof value === "number" && value > 0) continue;
    throw outOfRange(ACTION, name, "a number above 0", value);
  }
  if (port !== undefined) wholeNumber(ACTION, "port", port, 0, 65_535);
  if (typeof network?.host !== "function") {
    throw wrongType(ACTION, "network", "a simulated network", network);
  }
  const player = new Player({
    clock: network.clock,
    pace: { speed, rate },
    port,
    from,
    signal,
    open: (from, oldest) => open(network, from, oldest),
    report: reporter(onError),
  });
  try {
    await player.play(
      Symbol.asyncIterator in capture ? really(capture, network) : capture,
    );
  } finally {
    await player.close();
  }
  return player.stats;
}

/** Reads a capture in real time, as a file: the network waits for it. */
async function* really(
  capture: AsyncIterable<Replayable>,
  network: ReplayNetwork,
): AsyncGenerator<Replayable, void, undefined> {
  const datagrams = capture[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await network.real(() => datagrams.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    await datagrams.return?.();
  }
}

/** Binds the address of a sender. */
async function open(
  network: ReplayNetwork,
  from: NetAddr,
  oldest: Sender | undefined,
): Promise<Sender> {
  await oldest?.close();
  const carrier = network.host(from.hostname);
  const socket = bind(formatAddress(from), { carrier });
  return {
    send: ({ data, to }) => socket.send(data, to as NetAddr),
    close: () => socket[Symbol.asyncDispose](),
  };
}

/**
 * A sink that publishes messages to a stream of NATS JetStream: in order, as
 * often as it takes, with an ID by which the broker knows each one again.
 *
 * @module
 */
import type { Backlog } from "../sink.ts";
import type { NatsSink } from "./nats/sink.ts";
import { Publishing } from "./nats/publishing.ts";
import { parseNatsUrl } from "./nats/url.ts";
import { WaitingInBacklog, WaitingInMemory } from "./nats/waiting.ts";
import { Warnings } from "../warnings.ts";

export type { NatsSink, NatsStats } from "./nats/sink.ts";
export { type NatsUrl, parseNatsUrl } from "./nats/url.ts";
export type { Datagram } from "../datagram.ts";
export type { Backlog, Message, Past, Sink } from "../sink.ts";

const DEFAULT_MAX_QUEUED = 100_000;
const DEFAULT_FLUSH_TIMEOUT_MS = 5000;

/** What {@linkcode nats} may be told. */
export interface NatsOptions {
  /**
   * Where the messages that are written are kept, under the same numbers, and
   * wait; it may get them a little later than this sink. What it still holds
   * from an earlier run is published first.
   * @default {they wait in memory}
   */
  backlog?: Backlog;
  /**
   * How many messages wait in memory where there is no backlog, and 64 MiB at
   * most. One that comes when there is no room is counted as `overflow`.
   * @default {100_000}
   */
  maxQueued?: number;
  /** Milliseconds that `flush` waits for the broker. @default {5000} */
  flushTimeoutMs?: number;
  /**
   * Gets a line when the broker is away or refuses, when it is back, when a
   * stream was created, when a message is lost. Each kind is said once until it
   * is over. Lines are escaped and show no credentials.
   * @default {console.error}
   */
  onTrouble?: (line: string) => void;
}

/**
 * Publishes messages to a subject of a NATS broker with JetStream, and creates
 * a stream for it where there is none. A broker that is away is waited for.
 *
 * The payload is the datagram; the header has `Pli-From`, `Pli-Time`,
 * `Pli-Size`, and `Pli-Truncated: true` where it was cut. A message that may
 * have been published is published again until it is acknowledged, under the
 * same `Nats-Msg-Id`: the stream stores it once, within its duplicate window
 * (two minutes by default).
 *
 * It needs `--allow-net` for the broker's host and port.
 *
 * @param url As {@linkcode parseNatsUrl} takes it.
 * @throws {InvalidAddressError} The URL is none.
 * @throws {RangeError} `maxQueued` or `flushTimeoutMs` is none.
 */
export function nats(url: string, options: NatsOptions = {}): NatsSink {
  const target = parseNatsUrl(url);
  const { maxQueued = DEFAULT_MAX_QUEUED } = options;
  const { flushTimeoutMs = DEFAULT_FLUSH_TIMEOUT_MS } = options;
  if (!Number.isSafeInteger(maxQueued) || maxQueued < 1) {
    throw new RangeError(`maxQueued must be at least 1, not ${maxQueued}`);
  }
  if (!(flushTimeoutMs >= 0 && flushTimeoutMs < 2 ** 31)) {
    throw new RangeError(
      `flushTimeoutMs must be from 0 to 2^31 - 1, not ${flushTimeoutMs}`,
    );
  }
  const warnings = new Warnings(options.onTrouble);
  const waiting = options.backlog === undefined
    ? new WaitingInMemory(maxQueued)
    : new WaitingInBacklog(options.backlog, target.destination, warnings);
  return new Publishing(target, waiting, warnings, flushTimeoutMs);
}

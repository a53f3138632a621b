/**
 * A sink that publishes messages to a stream of NATS JetStream: in order, again
 * until each is acknowledged, and with an ID by which the broker recognizes a
 * message that it has already.
 *
 * @module
 */
import { wholeNumber } from "../check.ts";
import type { CheckpointedLog } from "../sink.ts";
import { readCredentials } from "./nats/credentials.ts";
import type { NatsSink } from "./nats/sink.ts";
import { Publishing } from "./nats/publishing.ts";
import { parseNatsUrl } from "./nats/url.ts";
import { WaitingInLog, WaitingInMemory } from "./nats/waiting.ts";
import { Warnings } from "../warnings.ts";

export type { NatsSink, NatsStats } from "./nats/sink.ts";
export { type NatsUrl, parseNatsUrl } from "./nats/url.ts";
export type { Datagram } from "../datagram.ts";
export type { CheckpointedLog, Message, MessageLog, Sink } from "../sink.ts";

const ACTION = "publish to NATS";
const DEFAULT_MAX_QUEUED = 100_000;
const DEFAULT_FLUSH_TIMEOUT_MS = 5000;
const MAX_FLUSH_TIMEOUT_MS = 2 ** 31 - 1;

/** Options of {@linkcode nats}. */
export interface NatsOptions {
  /**
   * A log of the same messages, under the same numbers: messages wait there for
   * the broker. It may get them somewhat later than this sink. Messages that it
   * holds from an earlier run and that were not published come first.
   * @default {messages wait in memory}
   */
  log?: CheckpointedLog | undefined;
  /**
   * Without a log, the most messages that wait in memory, besides a limit of
   * 64 MiB. Further messages are counted as `overflow`.
   * @default {100_000}
   */
  maxQueued?: number | undefined;
  /**
   * `USER:PASSWORD`, a token, or the content of a `.creds` file, as they are:
   * nothing is encoded. They never appear in a message or a line.
   * @default {those in the URL}
   */
  credentials?: string | undefined;
  /** How long `flush` waits for the broker, in milliseconds. @default {5000} */
  flushTimeoutMs?: number | undefined;
  /**
   * Called with one line when the broker is away or rejects, when it is back,
   * when a stream was created, and when a message is lost. Each kind of trouble
   * is reported once until it is over. Lines are escaped and contain no
   * credentials.
   * @default {console.error}
   */
  onTrouble?: ((line: string) => void) | undefined;
}

/**
 * Publishes messages to a subject of a NATS broker with JetStream, and creates
 * a stream if none covers the subject. While the broker is away messages wait,
 * and the sink tries to connect again.
 *
 * The payload is the datagram. The header has `Pli-From`, `Pli-Time`, `Pli-Size`
 * and, if the message was truncated, `Pli-Truncated: true`. A message that may
 * have been published already is published again, under the same `Nats-Msg-Id`,
 * until it is acknowledged. The stream stores it once, within its duplicate
 * window (two minutes by default).
 *
 * Needs `--allow-net` for the broker's host and port.
 *
 * @param url See {@linkcode parseNatsUrl}.
 * @throws {InvalidAddressError} `url` is not a NATS URL.
 * @throws {Error} `credentials` have none of these forms.
 * @throws {RangeError} `maxQueued` or `flushTimeoutMs` is out of range.
 */
export function nats(url: string, options: NatsOptions = {}): NatsSink {
  const target = parseNatsUrl(url);
  const credentials = options.credentials === undefined
    ? target.credentials
    : readCredentials(options.credentials);
  const { maxQueued = DEFAULT_MAX_QUEUED } = options;
  const { flushTimeoutMs = DEFAULT_FLUSH_TIMEOUT_MS } = options;
  wholeNumber(ACTION, "maxQueued", maxQueued, 1);
  wholeNumber(
    ACTION,
    "flushTimeoutMs",
    flushTimeoutMs,
    0,
    MAX_FLUSH_TIMEOUT_MS,
  );
  const warnings = new Warnings(options.onTrouble);
  const waiting = options.log === undefined
    ? new WaitingInMemory(maxQueued)
    : new WaitingInLog(options.log, target.destination, warnings);
  const broker = { ...target, credentials };
  return new Publishing(broker, waiting, warnings, flushTimeoutMs);
}

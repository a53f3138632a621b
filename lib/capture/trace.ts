import type { NetAddr } from "../addr.ts";
import { parseAddress } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import { requireOptions, wrongType } from "../check.ts";
import { joined } from "./byte_reader.ts";
import { CaptureEncoder, type EncoderOptions } from "./encoder.ts";

const ACTION = "write a trace";
// What `network.run` has as its date, unless it is told otherwise.
const START = Date.UTC(2026, 0, 1);
const NANOSECONDS_PER_MS = 1e6;
// For hosts that have only a name: a network for tests of equipment (RFC 2544).
const NAMED = [198, 18];

/** What happened to a datagram, as `network.trace` lists it. */
export interface TracedDatagram {
  /** Milliseconds of the network's time. */
  readonly time: number;
  /** The sender, as `udp://host:port`. */
  readonly from: string;
  /** The receiver, as `udp://host:port`. */
  readonly to: string;
  /** Its bytes. */
  readonly data: Uint8Array;
  /** What became of it: the first word of its comment. */
  readonly fate: string;
  /** Whether a bit of it was flipped. */
  readonly corrupted: boolean;
  /** Whether it was held back. */
  readonly reordered: boolean;
  /** Whether a rule decided about it. */
  readonly ruled: boolean;
}

/** How a trace is written. */
export interface TraceOptions extends EncoderOptions {
  /**
   * The date at the network's time 0, as in `network.run`: a `Date`, or
   * milliseconds since 1970.
   * @default {2026-01-01T00:00:00Z}
   */
  now?: Date | number | undefined;
}

/**
 * Encodes what happened on a simulated network as a capture file, so that a
 * failing seed opens in Wireshark. Each datagram and each copy is a packet, at the
 * time when its fate was decided, with the fate as its comment: `delivered`,
 * `lost, reordered`. Lost ones are in the file too. Hosts that have only a name get
 * an address in 198.18.0.0/16, and the comment has the name.
 *
 * @throws {TypeError} The trace is no list of its entries, or an option is of the
 * wrong type.
 *
 * @example
 * ```ts
 * import { connect } from "@pli/datagram";
 * import { encodeTrace, readCapture } from "@pli/datagram/capture";
 * import { simulateNetwork } from "@pli/datagram/testing";
 *
 * const network = simulateNetwork({ seed: 7, loss: 0.5 });
 * await network.run(async () => {
 *   await using client = await connect("10.0.0.1:53", { carrier: network });
 *   await client.send("ping");
 * });
 * const file = encodeTrace(network.trace, { comment: `seed ${network.seed}` });
 * // await Deno.writeFile("seed-7.pcapng", file);
 * for await (const { comments } of readCapture(file)) console.log(comments);
 * ```
 */
export function encodeTrace(
  trace: Iterable<TracedDatagram>,
  options: TraceOptions = {},
): Uint8Array<ArrayBuffer> {
  requireOptions(ACTION, options);
  const { now = START, ...others } = options;
  const start = Number(now);
  if (!Number.isFinite(start) || start < 0) {
    throw wrongType(ACTION, "now", "a Date from 1970 on, or milliseconds", now);
  }
  const encoder = new CaptureEncoder(others);
  const hosts = new NamedHosts();
  const parts = [encoder.header];
  for (const { time, from, to, data, ...fate } of trace) {
    const ends = [from, to].map((text) => parseAddress(text) as NetAddr);
    const [sender, receiver] = ends.map((end) => hosts.addressOf(end));
    const block = encoder.encode({
      time: BigInt(Math.trunc(start)) * 1_000_000n +
        BigInt(Math.round(time * NANOSECONDS_PER_MS)),
      from: sender!,
      to: receiver!,
      data,
      comments: [describe(fate, ends)],
    });
    if (block !== undefined) parts.push(block);
  }
  return joined(parts, parts.reduce((sum, { length }) => sum + length, 0));
}

function describe(
  { fate, corrupted, reordered, ruled }: Pick<
    TracedDatagram,
    "fate" | "corrupted" | "reordered" | "ruled"
  >,
  ends: readonly NetAddr[],
): string {
  const words = [fate];
  if (reordered) words.push("reordered");
  if (corrupted) words.push("corrupted");
  if (ruled) words.push("by a rule");
  const isNamed = ends.some(({ hostname }) => !isIp(hostname));
  const [from, to] = ends.map(({ hostname }) => hostname);
  return words.join(", ") + (isNamed ? `; ${from} to ${to}` : "");
}

/** Gives addresses to hosts that have none. */
class NamedHosts {
  readonly #numbers = new Map<string, number>();

  addressOf(end: NetAddr): NetAddr {
    if (isIp(end.hostname)) return end;
    const { hostname } = end;
    const number = this.#numbers.get(hostname) ?? this.#numbers.size + 1;
    this.#numbers.set(hostname, number);
    const bytes = [...NAMED, number >> 8 & 255, number & 255];
    return { ...end, hostname: bytes.join(".") };
  }
}

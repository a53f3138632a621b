import type { NetAddr } from "../addr.ts";
import { count } from "../count.ts";
import { cannot, errors, withFields } from "../errors.ts";
import { ByteReader, type CaptureInput } from "./byte_reader.ts";
import { Decoder } from "./decoder.ts";
import { Broken, type Packets, viewOf } from "./packet.ts";
import { isPcap, PcapPackets } from "./pcap.ts";
import { PcapngPackets, SECTION } from "./pcapng.ts";
import { type CaptureStats, copyStats, noCaptureStats } from "./stats.ts";

const ACTION = "read a capture";

/** How other files begin, in hexadecimal, that are often taken for captures. */
const OTHERS: readonly (readonly [start: string, what: string])[] = [
  ["1f8b", "it is compressed by gzip; decompress it first"],
  ["28b52ffd", "it is compressed by zstd; decompress it first"],
  ["fd377a58", "it is compressed by xz; decompress it first"],
  ["04224d18", "it is compressed by lz4; decompress it first"],
  ["34cdb2a1", "it is pcap as Kuznetzov changed it; convert it by editcap"],
  ["a1b2cd34", "it is pcap as Kuznetzov changed it; convert it by editcap"],
  ["736e6f6f", "it is a file of snoop; convert it by editcap"],
  ["53514c69", "it is a store; deno task history writes it as pcapng"],
];

/** A UDP datagram that a capture file has. */
export interface CapturedDatagram {
  /**
   * When it was captured, in nanoseconds since 1970; when the last of its
   * fragments was. `undefined` if the file has no time for it, as in simple packet
   * blocks.
   */
  readonly time: bigint | undefined;
  /** The sender. */
  readonly from: NetAddr;
  /** The receiver. */
  readonly to: NetAddr;
  /** All of its bytes: a copy. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The number of its packet in the file, from 1, as other programs show it. */
  readonly packet: number;
  /** The comments on its packet. */
  readonly comments: readonly string[];
}

/** The UDP datagrams of a capture, in the order of the file, once. */
export interface Capture extends AsyncIterable<CapturedDatagram> {
  /** What was read so far: a copy. */
  readonly stats: CaptureStats;
  /** Begins to read. Ending the loop early ends the input as well. */
  [Symbol.asyncIterator](): AsyncGenerator<CapturedDatagram, void, undefined>;
}

/**
 * The file is not a capture, is broken, or ends in the middle of a packet. What
 * was before that was returned already.
 */
export class CaptureError extends errors.InvalidData {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "CaptureError";
  /** What failed. */
  declare readonly operation?: string;
  /** The number of the packet that could not be read; 0 if there can be none. */
  readonly packet: number;
  /** The byte of the file at which the broken part begins. */
  readonly offset: number;
  /** What was read before. */
  readonly stats: CaptureStats;

  /** Made by the library. */
  constructor(
    message: string,
    { packet, offset, stats }: {
      packet: number;
      offset: number;
      stats: CaptureStats;
    },
  ) {
    super(message);
    this.packet = packet;
    this.offset = offset;
    this.stats = stats;
  }
}

/**
 * Reads the UDP datagrams of a capture file: pcap or pcapng, as tcpdump,
 * Wireshark and this library write it. The file may have any size: one packet at
 * a time is in memory, and of fragments 16 MiB at most.
 *
 * Link layers: Ethernet with and without VLAN tags, raw IP, Linux's "any" (cooked
 * v1 and v2) and BSD's loopback. Extension headers of IPv6 are followed, and
 * fragments are put together. A datagram of which the file holds only a part is
 * counted as `cut`, and never returned. What is not UDP is counted by kind.
 * Checksums are not checked: cards often fill them in after the capture.
 *
 * @param input The bytes of the file, or an iterable of them, such as the
 * `readable` of a `Deno.FsFile` or a stream of `node:fs`.
 * @throws {TypeError} The input is neither. The loop over the capture throws it
 * for a chunk that is not a `Uint8Array`, and `Deno.errors.Busy` if the capture
 * is read already.
 *
 * The loop throws a {@linkcode CaptureError} where the file is broken.
 *
 * @example
 * ```ts
 * import { CaptureEncoder, readCapture } from "@pli/datagram/capture";
 *
 * const encoder = new CaptureEncoder();
 * const packet = encoder.encode({
 *   time: 1_700_000_000_123_456_789n,
 *   from: { transport: "udp", hostname: "10.0.0.1", port: 40000 },
 *   to: { transport: "udp", hostname: "10.0.0.2", port: 53 },
 *   data: new TextEncoder().encode("ping"),
 * });
 * const capture = readCapture([encoder.header, packet!]);
 * for await (const { time, from, data } of capture) {
 *   console.log(time, from.hostname, data.length);
 * }
 * console.log(capture.stats.datagrams); // 1
 * ```
 */
export function readCapture(input: CaptureInput): Capture {
  return new FileCapture(new ByteReader(input));
}

class FileCapture implements Capture {
  readonly #reader: ByteReader;
  readonly #stats = noCaptureStats();
  #isBegun = false;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  get stats(): CaptureStats {
    return copyStats(this.#stats);
  }

  [Symbol.asyncIterator](): AsyncGenerator<CapturedDatagram, void, undefined> {
    if (this.#isBegun) {
      const why = "it is read already, and can be read once";
      const error = new errors.Busy(cannot(ACTION, why));
      throw withFields(error, { operation: "read" });
    }
    this.#isBegun = true;
    return this.#datagrams();
  }

  async *#datagrams(): AsyncGenerator<CapturedDatagram, void, undefined> {
    const decoder = new Decoder(this.#stats);
    let packets: Packets | undefined;
    try {
      packets = await open(this.#reader);
      for (;;) {
        const packet = await packets.next();
        if (packet === undefined) return;
        const found = decoder.decode(packet);
        if (found === undefined) continue;
        const { number, time, comments } = packet;
        const { from, to } = found;
        const data = new Uint8Array(found.data);
        yield { time, from, to, data, packet: number, comments };
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      decoder.end();
      throw this.#failure(error, packets);
    } finally {
      decoder.end();
      await this.#reader.close();
    }
  }

  #failure(
    { message, offset }: Broken,
    packets: Packets | undefined,
  ): CaptureError {
    const stats = this.stats;
    const packet = packets === undefined ? 0 : packets.count + 1;
    const why = packet === 0
      ? message
      : `packet ${packet}, at byte ${offset}: ${message}; read before it: ${
        count(stats.datagrams, "datagram")
      } in ${count(stats.packets, "packet")}`;
    const error = new CaptureError(cannot(ACTION, why), {
      packet,
      offset,
      stats,
    });
    return withFields(error, { operation: "read" });
  }
}

/** @throws {Broken} It is not a capture. */
async function open(reader: ByteReader): Promise<Packets> {
  if (!await reader.fill(4)) {
    throw new Broken(
      reader.available === 0 ? "it is empty" : "it is too short to be one",
      0,
    );
  }
  const start = reader.peek(4);
  const magic = viewOf(start).getUint32(0, true);
  if (magic === SECTION) return new PcapngPackets(reader);
  if (isPcap(magic)) return new PcapPackets(reader);
  const hex = Array.from(start, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const known = OTHERS.find(([begins]) => hex.startsWith(begins));
  throw new Broken(
    known?.[1] ?? `it is neither pcap nor pcapng: it begins with 0x${hex}`,
    0,
  );
}

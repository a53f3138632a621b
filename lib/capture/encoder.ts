import type { Addr } from "../addr.ts";
import { outOfRange, requireOptions, wrongType } from "../check.ts";
import { headerBlocks, packetBlock } from "./blocks.ts";
import { type Endpoint, headersOf } from "./frame.ts";
import { hostBytes } from "./host_bytes.ts";

const ACTION = "write a capture";
const MAX_TIME = 2n ** 64n - 1n;

/** What a file says about itself. */
export interface EncoderOptions {
  /** A comment on all of it. @default {none} */
  comment?: string | undefined;
  /** The program that writes it. @default {"Pli"} */
  application?: string | undefined;
}

/** A datagram to write. */
export interface DatagramToWrite {
  /** Nanoseconds since 1970, from 0. */
  readonly time: bigint;
  /** The sender. */
  readonly from: Addr;
  /** The receiver. */
  readonly to: Addr;
  /** Its bytes. */
  readonly data: Uint8Array;
  /** Comments on it. Of each, 65,535 bytes of UTF-8 are written. */
  readonly comments?: readonly string[] | undefined;
}

/** Datagrams by what became of them. */
export interface EncoderStats {
  /** Datagrams that were encoded. */
  encoded: number;
  /** Datagrams longer than UDP allows: 65,507 bytes over IPv4, 65,527 over IPv6. */
  tooLong: number;
  /** Datagrams whose sender or receiver has no IP address, but a path or a name. */
  notIp: number;
}

/**
 * Encodes datagrams as a capture file: pcapng with nanoseconds, which Wireshark,
 * `tshark`, `tcpdump -r` and `tcpreplay` read. Each datagram becomes a packet of
 * Ethernet with zero addresses, IPv4 or IPv6, and UDP, with true checksums.
 *
 * The file is `header` and then what `encode` returns. Messages that came by TCP,
 * TLS or QUIC are written as UDP too, with the addresses of their connection.
 */
export class CaptureEncoder {
  /** The beginning of the file. */
  readonly header: Uint8Array<ArrayBuffer>;
  readonly #stats: EncoderStats = { encoded: 0, tooLong: 0, notIp: 0 };

  /**
   * Makes an encoder for one file.
   *
   * @throws {TypeError} An option is of the wrong type.
   */
  constructor(options: EncoderOptions = {}) {
    requireOptions(ACTION, options);
    const { comment, application = "Pli" } = options;
    for (const [name, text] of Object.entries({ comment, application })) {
      if (text === undefined || typeof text === "string") continue;
      throw wrongType(ACTION, name, "text", text);
    }
    this.header = headerBlocks(application, comment);
  }

  /** How many datagrams were encoded, and how many not: a copy. */
  get stats(): EncoderStats {
    return { ...this.#stats };
  }

  /**
   * Encodes a datagram.
   *
   * @returns The bytes to add to the file; `undefined` if the datagram can be no
   * UDP packet, which is counted.
   * @throws {TypeError} A field is of the wrong type.
   * @throws {RangeError} The time or a port is out of range.
   */
  encode(datagram: DatagramToWrite): Uint8Array<ArrayBuffer> | undefined {
    const { time, data, comments = [] } = datagram;
    if (typeof time !== "bigint" || time < 0n || time > MAX_TIME) {
      const wanted = "a bigint of nanoseconds from 0 to 2^64 - 1";
      throw outOfRange(ACTION, "time", wanted, time);
    }
    if (!(data instanceof Uint8Array)) {
      throw wrongType(ACTION, "data", "a Uint8Array", data);
    }
    if (!Array.isArray(comments) || !comments.every(isText)) {
      throw wrongType(ACTION, "comments", "a list of texts", comments);
    }
    const from = endpoint("from", datagram.from);
    const to = endpoint("to", datagram.to);
    if (from === undefined || to === undefined) {
      this.#stats.notIp++;
      return undefined;
    }
    const headers = headersOf(from, to, data);
    if (headers === undefined) {
      this.#stats.tooLong++;
      return undefined;
    }
    this.#stats.encoded++;
    return packetBlock(time, headers, data, comments);
  }
}

/** Returns the bytes of an address, if it has an IP address. */
function endpoint(name: string, address: Addr): Endpoint | undefined {
  if (typeof address !== "object" || address === null) {
    throw wrongType(ACTION, name, "an address", address);
  }
  if (!("hostname" in address)) return undefined;
  const { hostname, port } = address;
  if (typeof hostname !== "string") {
    throw wrongType(ACTION, `${name}.hostname`, "text", hostname);
  }
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    const wanted = "a whole number from 0 to 65535";
    throw outOfRange(ACTION, `${name}.port`, wanted, port);
  }
  const host = hostBytes(hostname);
  return host && { ...host, port };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

import { formatAddress, toDestination } from "./address.ts";
import type { Carrier } from "./carrier.ts";
import { checkTimeout, systemClock } from "./clock.ts";
import { failure, MessageTooLargeError, SocketClosedError } from "./errors.ts";
import { type WaitOptions, within } from "./waits.ts";

// A datagram's length field of 16 bits, less the headers that it counts: 8 of
// UDP (RFC 768), and of IPv4 20 more (RFC 791).
const MAX_SIZE_IPV4 = 65_507;
const MAX_SIZE_IPV6 = 65_527;
// A `unix:` receiver that does not read makes its senders wait; UDP never does.
const UNIX_TIMEOUT_MS = 1000;

const encoder = new TextEncoder();

/** What a socket sends: bytes as they are, text as UTF-8. */
export type Data = string | Uint8Array;

/** What an outbox counts; see `SocketStats`. */
export interface OutboxCounts {
  sent: number;
  sentBytes: number;
  sendFailed: number;
}

/** The sending half of a socket: checks, sends, and counts each send once. */
export class Outbox {
  readonly counts: OutboxCounts = { sent: 0, sentBytes: 0, sendFailed: 0 };
  readonly #carrier: Carrier;
  readonly #local: string;
  #closed = false;

  constructor(carrier: Carrier, local: string) {
    this.#carrier = carrier;
    this.#local = local;
  }

  async send(
    data: Data,
    to: string | Deno.Addr,
    options?: WaitOptions,
  ): Promise<void> {
    try {
      const peer = isDestination(to) ? to : toDestination(to);
      if (this.#closed) throw this.#closedError(peer);
      const bytes = this.#bytes(data, peer);
      options?.signal?.throwIfAborted();
      try {
        await this.#carry(bytes, peer, options);
      } catch (error) {
        if (options?.signal?.aborted && error === options.signal.reason) {
          throw error;
        }
        const text = `send ${bytes.length} bytes from ${this.#local} to `;
        throw failure(text + formatAddress(peer), error);
      }
      this.counts.sent++;
      this.counts.sentBytes += bytes.length;
    } catch (error) {
      this.counts.sendFailed++;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
  }

  #bytes(data: Data, to: Deno.Addr): Uint8Array {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot send: data must be a string or a Uint8Array: given ${
          bytes === null ? "null" : typeof bytes
        }`,
      );
    }
    const limit = this.#carrier.maxSize?.(to) ?? familyLimit(to);
    if (bytes.length <= limit) return bytes;
    throw new MessageTooLargeError(
      `Cannot send ${bytes.length} bytes to ${
        formatAddress(to)
      }: one datagram holds at most ${limit}`,
    );
  }

  #carry(
    bytes: Uint8Array,
    to: Deno.Addr,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const limit = checkTimeout(options?.timeoutMs) ??
      (to.transport === "unixpacket" ? UNIX_TIMEOUT_MS : undefined);
    const sending = this.#carrier.send(bytes, to);
    if (limit === undefined && options?.signal === undefined) return sending;
    // A carrier's `send` cannot be cancelled: what is given up may yet arrive.
    return within(sending, this.#carrier.clock ?? systemClock, {
      timeoutMs: limit,
      signal: options?.signal,
    });
  }

  #closedError(to: Deno.Addr): SocketClosedError {
    return new SocketClosedError(
      `Cannot send from ${this.#local} to ${
        formatAddress(to)
      }: the socket is closed`,
    );
  }
}

/** Whether an object is good to send to as it stands; carriers' own always are. */
function isDestination(to: string | Deno.Addr): to is Deno.NetAddr {
  return typeof to === "object" && to !== null && "hostname" in to &&
    Number.isInteger(to.port) && to.port > 0 && to.port <= 65_535 &&
    typeof to.hostname === "string" && to.hostname !== "";
}

function familyLimit(to: Deno.Addr): number {
  if (!("hostname" in to)) return MAX_SIZE_IPV6;
  return to.hostname.includes(":") && !to.hostname.startsWith("::ffff:")
    ? MAX_SIZE_IPV6
    : MAX_SIZE_IPV4;
}

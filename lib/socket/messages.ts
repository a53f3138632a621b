import { type Addr, copyAddr } from "../addr.ts";
import { formatAddress, isAddress } from "../address/address.ts";
import { isIp } from "../address/host.ts";
import type { Carrier, Outgoing } from "../carrier.ts";
import { wholeNumber, wrongType } from "../check.ts";
import { count } from "../count.ts";
import {
  type Attempt,
  cannot,
  errors,
  failure,
  fieldsOf,
  InvalidAddressError,
  MessageTooLargeError,
  withFields,
} from "../errors.ts";
import { type Destination, Destinations } from "./destinations.ts";

const encoder = new TextEncoder();

/** What a socket sends: bytes as they are, or text as UTF-8. */
export type Data = string | Uint8Array;

const trueLength = getterOf("length");
const trueBuffer = getterOf("buffer");
const trueOffset = getterOf("byteOffset");

function getterOf(name: string): () => unknown {
  const prototype: object = Object.getPrototypeOf(Uint8Array.prototype);
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}

/**
 * Returns the bytes to send. Data of a wrong type is returned as it is, and
 * rejected by {@linkcode Messages.prepare}.
 */
export function encode(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Whether it is bytes, and not only an object that inherits from an array. */
export function isBytes(data: unknown): data is Uint8Array {
  return ArrayBuffer.isView(data) && data instanceof Uint8Array;
}

/** A message as the carrier takes it. */
export interface Prepared extends Outgoing {
  /** Its length when it was given. */
  readonly size: number;
  /** Whether the host of its peer has to be looked up. */
  readonly isForName: boolean;
  /** The local address that it leaves from. @default {the system's choice} */
  readonly from?: Addr | undefined;
}

/** A run as the carrier takes it; its `data` is a plain view. */
export interface PreparedRun extends Prepared {
  readonly segmentSize: number;
  readonly count: number;
}

/** Returns the true length: an array may have a `length` of its own. */
export function lengthOf(bytes: Uint8Array): number {
  return trueLength.call(bytes) as number;
}

/** Returns how many datagrams a run holds: one for data that is empty. */
export function datagramsIn(size: number, segmentSize: number): number {
  return Math.max(1, Math.ceil(size / segmentSize));
}

/** Checks the messages of a socket, and makes the errors of those that fail. */
export class Messages {
  readonly #carrier: Carrier;
  readonly #local: Addr;
  readonly #destinations: Destinations;
  #isRefusing = false;

  /** @param local The local address, which the program cannot change. */
  constructor(carrier: Carrier, local: Addr) {
    this.#carrier = carrier;
    this.#local = local;
    this.#destinations = new Destinations(local);
  }

  /**
   * Checks the address of a peer.
   *
   * @throws {InvalidAddressError} It is not an address of this socket's scheme.
   */
  destination(to: string | Addr): Destination {
    return this.#destinations.get(to);
  }

  /**
   * Checks a message, and returns it as the carrier takes it.
   *
   * @throws {InvalidAddressError} `to` is not an address of this socket's scheme.
   * @throws As {@linkcode Messages.prepareFor}.
   */
  prepare(data: Data, to: string | Addr): Prepared {
    return this.prepareFor(data, this.#destinations.get(to));
  }

  /**
   * Checks a message that leaves from a local address.
   *
   * @throws {InvalidAddressError} `from` is not an IP address.
   * @throws {Deno.errors.NotSupported} The carrier cannot choose it.
   * @throws As {@linkcode Messages.prepare}.
   */
  prepareFrom(data: Data, to: string | Addr, from: Addr): Prepared {
    const message = this.prepare(data, to);
    const attempt = this.attemptOf(message);
    if (!isAddress(from)) {
      throw wrongType(attempt, "from", "an address", from);
    }
    if (!("hostname" in from) || !isIp(from.hostname)) {
      throw withFields(
        new InvalidAddressError(
          formatAddress(from),
          "from is not an IP address",
        ),
        fieldsOf(attempt),
      );
    }
    if (this.#carrier.sendFrom === undefined) {
      const reason =
        "its carrier cannot choose the local address; offload() can";
      const error = new errors.NotSupported(cannot(attempt, reason));
      throw withFields(error, fieldsOf(attempt));
    }
    return { ...message, from: copyAddr(from) };
  }

  /**
   * Checks a message for a peer whose address is checked already.
   *
   * @throws As {@linkcode Messages.bytesFor}.
   */
  prepareFor(data: Data, destination: Destination): Prepared {
    const bytes = this.bytesFor(data, destination);
    const { to, isName } = destination;
    return { data: bytes, to, size: lengthOf(bytes), isForName: isName };
  }

  /**
   * Checks the data of a message for a peer whose address is checked already, and
   * returns its bytes.
   *
   * @throws {TypeError} `data` is neither a string nor bytes, or its bytes are
   * detached.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   * @throws {SocketClosedError} The socket is about to be closed.
   */
  bytesFor(data: Data, destination: Destination): Uint8Array {
    const { to, isName } = destination;
    const bytes = encode(data);
    if (!isBytes(bytes)) {
      const attempt = this.attempt("send", to);
      throw wrongType(attempt, "data", "a string or a Uint8Array", bytes);
    }
    const size = lengthOf(bytes);
    const failure = (cause: unknown) =>
      this.failure({ data: bytes, to, size, isForName: isName }, cause);
    if (size === 0 && !isAttached(bytes)) throw failure(gone());
    const limit = this.#longest(destination);
    if (size > limit) throw this.#tooLarge(size, to, limit);
    if (this.#isRefusing) throw failure(closed());
    return bytes.length === size ? bytes : new Uint8Array(bytes);
  }

  /**
   * Checks a run, and returns it as the carrier takes it.
   *
   * @param segmentSize The length of each datagram; only empty data may have 0.
   * @throws {RangeError} The segment size is not a whole number from 1.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   * @throws As {@linkcode Messages.prepare}.
   */
  prepareRun(
    data: Uint8Array,
    segmentSize: number,
    to: string | Addr,
  ): PreparedRun {
    const destination = this.#destinations.get(to);
    const peer = destination.to;
    if (!isBytes(data)) {
      const attempt = this.attempt("send", peer);
      throw wrongType(attempt, "data", "a string or a Uint8Array", data);
    }
    const size = lengthOf(data);
    if (segmentSize !== 0 || size > 0) {
      const attempt = this.attempt("send", peer);
      wholeNumber(attempt, "segmentSize", segmentSize, 1);
    }
    const run = {
      data,
      to: peer,
      size,
      isForName: destination.isName,
      segmentSize,
      count: datagramsIn(size, segmentSize || 1),
    };
    if (size === 0 && !isAttached(data)) throw this.failure(run, gone());
    const limit = this.#longest(destination);
    if (segmentSize > limit) throw this.#tooLarge(segmentSize, peer, limit);
    if (this.#isRefusing) throw this.failure(run, closed());
    // Not by `subarray`, which an array may have of its own.
    const buffer = trueBuffer.call(data) as ArrayBuffer;
    const start = trueOffset.call(data) as number;
    return { ...run, data: new Uint8Array(buffer, start, size) };
  }

  /** Refuses every message from now on. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Makes the error of a message that could not be sent. */
  failure(message: Prepared, cause: unknown): Error {
    const attempt = this.attemptOf(message);
    return failure(attempt.action, cause, attempt);
  }

  /** For the messages of errors: to send this message. */
  attemptOf(message: Prepared | PreparedRun): Attempt {
    const { to } = message;
    const bytes = count(message.size, "byte");
    const size = "count" in message && message.count > 1
      ? `${bytes} in ${message.count} datagrams`
      : bytes;
    const local = formatAddress(this.#local);
    return this.attempt(
      `send ${size} from ${local} to ${formatAddress(to)}`,
      to,
    );
  }

  /** For the messages of errors: to do that with a peer. */
  attempt(action: string, remote: Addr): Attempt {
    return { action, local: this.#local, remote };
  }

  /** The length of the longest datagram to that peer. */
  #longest({ to, largest }: Destination): number {
    const limit: unknown = this.#carrier.maxSize?.(to);
    return typeof limit === "number" && limit >= 0 ? limit : largest;
  }

  #tooLarge(size: number, to: Addr, limit: number): MessageTooLargeError {
    const attempt = this.attempt(
      `send ${count(size, "byte")} to ${formatAddress(to)}`,
      to,
    );
    return withFields(
      new MessageTooLargeError(
        cannot(attempt, `one datagram holds at most ${limit}`),
      ),
      fieldsOf(attempt),
    );
  }
}

/**
 * Whether the bytes of a message are still there. A buffer that was transferred
 * to a worker, or shrunk, has none: the message would be sent as an empty one.
 */
export function hasBytes({ data, size }: Prepared): boolean {
  return data.length === size && (size > 0 || isAttached(data));
}

/** Makes the error of a message whose bytes are gone. */
export function gone(): Error {
  return new TypeError(
    "its bytes are gone: the buffer was transferred or resized",
  );
}

/** Makes the error of a carrier that is closed. */
export function closed(): Error {
  return new errors.BadResource("closed");
}

/** Whether an empty array is only empty, and not without its buffer. */
function isAttached(data: Uint8Array): boolean {
  try {
    data.at(0);
    return true;
  } catch {
    return false;
  }
}

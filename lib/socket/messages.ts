import type { Addr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Carrier, Outgoing } from "../carrier.ts";
import { wrongType } from "../check.ts";
import { count } from "../count.ts";
import {
  type Attempt,
  cannot,
  errors,
  failure,
  fieldsOf,
  MessageTooLargeError,
  withFields,
} from "../errors.ts";
import { type Destination, Destinations } from "./destinations.ts";

const encoder = new TextEncoder();

/** What a socket sends: bytes as they are, or text as UTF-8. */
export type Data = string | Uint8Array;

const trueLength = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  "length",
)!.get!;

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
}

/** Returns the true length: an array may have a `length` of its own. */
export function lengthOf(bytes: Uint8Array): number {
  return trueLength.call(bytes);
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
   * Checks a message, and returns it as the carrier takes it.
   *
   * @throws {TypeError} `data` is neither a string nor bytes, or its bytes are
   * detached.
   * @throws {InvalidAddressError} `to` is not an address of this socket's scheme.
   * @throws {MessageTooLargeError} It is longer than one datagram can be.
   * @throws {SocketClosedError} The socket is about to be closed.
   */
  prepare(data: Data, to: string | Addr): Prepared {
    const destination = this.#destinations.get(to);
    const peer = destination.to;
    let bytes = encode(data);
    if (!isBytes(bytes)) {
      const attempt = this.attempt("send", peer);
      throw wrongType(attempt, "data", "a string or a Uint8Array", bytes);
    }
    const size = lengthOf(bytes);
    if (bytes.length !== size) bytes = new Uint8Array(bytes);
    const isForName = destination.isName;
    const message = { data: bytes, to: peer, size, isForName };
    if (size === 0 && !hasBytes(message)) throw this.failure(message, gone());
    const limit = this.#longest(destination);
    if (size > limit) throw this.#tooLarge(size, peer, limit);
    if (this.#isRefusing) throw this.failure(message, closed());
    return message;
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
  attemptOf({ size: length, to }: Prepared): Attempt {
    const size = count(length, "byte");
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

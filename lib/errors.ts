import { type Addr, copyAddr } from "./addr.ts";
import { escapeControls } from "./escape.ts";
import { reasonOf } from "./warnings.ts";

/** The name of a class in {@linkcode errors}. */
export type ErrorName =
  | "AddrInUse"
  | "AddrNotAvailable"
  | "AlreadyExists"
  | "BadResource"
  | "BrokenPipe"
  | "Busy"
  | "ConnectionAborted"
  | "ConnectionRefused"
  | "ConnectionReset"
  | "Interrupted"
  | "InvalidData"
  | "NetworkUnreachable"
  | "NotCapable"
  | "NotConnected"
  | "NotFound"
  | "NotSupported"
  | "PermissionDenied"
  | "TimedOut"
  | "UnexpectedEof";

const NAMES: readonly ErrorName[] = [
  "AddrInUse",
  "AddrNotAvailable",
  "AlreadyExists",
  "BadResource",
  "BrokenPipe",
  "Busy",
  "ConnectionAborted",
  "ConnectionRefused",
  "ConnectionReset",
  "Interrupted",
  "InvalidData",
  "NetworkUnreachable",
  "NotCapable",
  "NotConnected",
  "NotFound",
  "NotSupported",
  "PermissionDenied",
  "TimedOut",
  "UnexpectedEof",
];

/** A class of errors. */
export type ErrorClass = new (
  message?: string,
  options?: ErrorOptions,
) => Error;

const native = (globalThis as {
  Deno?: { errors?: Partial<Record<ErrorName, ErrorClass>> };
}).Deno?.errors;

/**
 * The built-in error classes that this library throws: those of `Deno.errors` on
 * Deno, and classes of the same names on other runtimes. A program that catches
 * `errors.TimedOut` runs on each of them.
 */
export const errors: Readonly<Record<ErrorName, ErrorClass>> = Object
  .fromEntries(
    NAMES.map((name) => [name, native?.[name] ?? named(name)]),
  ) as Record<ErrorName, ErrorClass>;

/**
 * The fields that each error of this library has besides its message. Errors
 * that it passes on (`signal.reason`, whatever a callback threw) stay as they
 * are.
 */
export interface OperationFields {
  /** What failed, in one word: `bind`, `connect`, `send`, `receive`, `request`… */
  readonly operation?: string | undefined;
  /** The address of the socket, if there was one. */
  readonly local?: Addr | undefined;
  /** The address of the peer, if there was one. */
  readonly remote?: Addr | undefined;
  /** How many datagrams `sendRun` had sent when it failed. */
  readonly sent?: number | undefined;
}

/**
 * An address that cannot be used: not of the form that
 * {@linkcode parseAddress} takes, or not valid for the operation (port 0 as a
 * destination, for example). The message quotes what was given and says what
 * would be valid.
 */
export class InvalidAddressError extends TypeError implements OperationFields {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "InvalidAddressError";
  /** What failed. */
  declare readonly operation?: string;
  /** The address of the socket. */
  declare readonly local?: Addr;
  /** The address of the peer. */
  declare readonly remote?: Addr;
  /** How many datagrams `sendRun` had sent. */
  declare readonly sent?: number;

  /**
   * Programs catch it; carriers that parse addresses may throw it.
   *
   * @param given The address as it was given; the message shows it escaped.
   * @param wanted What would be valid, as the end of the sentence.
   */
  constructor(given: string, wanted: string) {
    super(`Invalid address ${quote(given)}: ${wanted}`);
  }
}

/**
 * A message is longer than one datagram to that peer can be. The error is thrown
 * before the system is called, so no part of the message was sent.
 */
export class MessageTooLargeError extends RangeError
  implements OperationFields {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "MessageTooLargeError";
  /** What failed. */
  declare readonly operation?: string;
  /** The address of the socket. */
  declare readonly local?: Addr;
  /** The address of the peer. */
  declare readonly remote?: Addr;
  /** How many datagrams `sendRun` had sent. */
  declare readonly sent?: number;
}

/** The socket is closed, or was closed while the operation waited. */
export class SocketClosedError extends errors.BadResource
  implements OperationFields {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "SocketClosedError";
  /** What failed. */
  declare readonly operation?: string;
  /** The address of the socket. */
  declare readonly local?: Addr;
  /** The address of the peer. */
  declare readonly remote?: Addr;
  /** How many datagrams `sendRun` had sent. */
  declare readonly sent?: number;
}

/**
 * An operation, in words for the message of an error and in parts for its
 * fields.
 */
export interface Attempt extends Omit<OperationFields, "operation"> {
  /**
   * The operation and its addresses in words, the operation first: `receive on
   * udp://127.0.0.1:62000`, as in "Cannot receive on …".
   */
  readonly action: string;
}

/** Quotes text of any origin, safe and short enough for one line of a message. */
export function quote(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `"${escapeControls(shown)}"`;
}

/** Returns the fields of an error of that operation. */
export function fieldsOf(attempt: string | Attempt): OperationFields {
  const { action, local, remote } = typeof attempt === "string"
    ? { action: attempt }
    : attempt;
  return { operation: action.split(" ", 1)[0] ?? action, local, remote };
}

/** Sets the fields of an error, unless it has them already. @returns The error. */
export function withFields<E extends Error & OperationFields>(
  error: E,
  { operation, local, remote }: OperationFields,
): E {
  if (error.operation !== undefined || !Object.isExtensible(error)) {
    return error;
  }
  return Object.assign(error, {
    operation,
    ...(local !== undefined && { local: copyAddr(local) }),
    ...(remote !== undefined && { remote: copyAddr(remote) }),
  });
}

/** Writes what failed, and why, on one line that is safe for a terminal. */
export function cannot(attempt: string | Attempt, why: string): string {
  const action = typeof attempt === "string" ? attempt : attempt.action;
  return escapeControls(`Cannot ${action}: ${why}`);
}

/**
 * Turns whatever a carrier threw into an error of the class that a caller would
 * catch. Its message names the operation and the addresses, and its `cause` is
 * the original.
 *
 * @param action As in {@linkcode Attempt}.
 */
export function failure(
  action: string,
  cause: unknown,
  addresses: Omit<OperationFields, "operation"> = {},
): Error & OperationFields {
  const fields = fieldsOf({ ...addresses, action });
  const message = reasonOf(cause);
  try {
    return failureOf(action, cause, message, fields);
  } catch {
    // A proxy, whose traps may throw.
    return failureOf(action, new Error(message), message, fields);
  }
}

function failureOf(
  action: string,
  cause: unknown,
  message: string,
  fields: OperationFields,
): Error & OperationFields {
  const original = cause instanceof Error ? cause : new Error(message);
  if (isOwn(original)) return withFields(original, fields);
  const make = (Class: ErrorClass, why: string) =>
    withFields(new Class(cannot(action, why), { cause }), fields);
  if (message.startsWith("failed to lookup address information")) {
    return make(errors.NotFound, "unknown host");
  }
  if (message.startsWith("Message too long")) {
    return make(MessageTooLargeError, message);
  }
  if (isClosed(original)) {
    return make(SocketClosedError, "the socket is closed");
  }
  const known: ErrorClass[] = [
    ...Object.values(native ?? errors),
    TypeError,
    RangeError,
  ];
  // Not by its `constructor`, which may be anything.
  const prototype: unknown = Object.getPrototypeOf(original);
  const same = known.find((known) => known.prototype === prototype);
  return make(same ?? Error, message);
}

/** Makes the error of an operation on a closed socket. */
export function socketClosed(attempt: Attempt): SocketClosedError {
  const text = cannot(attempt, "the socket is closed");
  return withFields(new SocketClosedError(text), fieldsOf(attempt));
}

/** Makes the error of an operation that was not done in time. */
export function timedOut(attempt: Attempt, why: string): Error {
  const error = new errors.TimedOut(cannot(attempt, why));
  return withFields(error, fieldsOf(attempt));
}

/** Whether a carrier's error means that it is closed, as Deno's own errors do. */
export function isClosed(error: unknown): boolean {
  try {
    return error instanceof errors.BadResource ||
      error instanceof errors.Interrupted;
  } catch {
    // A proxy, whose traps may throw.
    return false;
  }
}

/** Whether an error has a complete message already. */
function isOwn(error: Error): boolean {
  return error instanceof InvalidAddressError ||
    error instanceof MessageTooLargeError || error instanceof SocketClosedError;
}

function named(name: string): ErrorClass {
  return class extends Error {
    static override readonly name = name;
    override readonly name = name;
  };
}

import { escapeControls } from "./escape.ts";

/**
 * An address that cannot be used: not of the form that
 * {@linkcode parseAddress} takes, or not fit for what was asked (port 0 as a
 * destination, say). The message quotes what was given and says what would do.
 */
export class InvalidAddressError extends TypeError {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "InvalidAddressError";

  /**
   * Programs get it thrown; carriers that parse addresses may make it.
   *
   * @param given The address as it was given; the message shows it escaped.
   * @param wanted What would do instead, as the end of the sentence.
   */
  constructor(given: string, wanted: string) {
    super(`Invalid address ${quote(given)}: ${wanted}`);
  }
}

/**
 * A message that is longer than one datagram to that peer can be. It is thrown
 * before the system is asked, so nothing of the message was sent.
 */
export class MessageTooLargeError extends RangeError {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "MessageTooLargeError";
}

/** The socket is closed, or was closed while the operation waited. */
export class SocketClosedError extends Deno.errors.BadResource {
  /** The class's name, for `error.name` comparisons. */
  override readonly name = "SocketClosedError";
}

/** Text of any origin, safe and short enough for one line of a message. */
export function quote(text: string): string {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `"${escapeControls(shown)}"`;
}

/**
 * What a carrier threw, as an error of the class that a caller would catch: it
 * says which operation on which addresses failed, and the original is its
 * `cause`.
 */
export function failure(operation: string, cause: unknown): Error {
  const original = cause instanceof Error ? cause : new Error(String(cause));
  if (isOwn(original)) return original;
  const { message } = original;
  const text = `Cannot ${operation}: ${message}`;
  const options = { cause };
  if (message.startsWith("failed to lookup address information")) {
    return new Deno.errors.NotFound(
      `Cannot ${operation}: unknown host`,
      options,
    );
  }
  if (message.startsWith("Message too long")) {
    return new MessageTooLargeError(text, options);
  }
  if (isClosed(original)) {
    return new SocketClosedError(
      `Cannot ${operation}: the socket is closed`,
      options,
    );
  }
  const known = [...Object.values(Deno.errors), TypeError, RangeError];
  const Same = known.find((known) => original.constructor === known) ?? Error;
  return new Same(text, options);
}

/** One line on the console, whatever a peer made an error say. */
export function printError(error: unknown): void {
  console.error(escapeControls(String(error)));
}

/** Whether a message needs no more said: it names operation and addresses. */
function isOwn(error: Error): boolean {
  return error instanceof InvalidAddressError ||
    error instanceof MessageTooLargeError || error instanceof SocketClosedError;
}

/** Whether a carrier's error means that it is closed (facts of Deno's own). */
export function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}

import { errors, quote } from "../../errors.ts";
import { reasonOf } from "../../warnings.ts";
import { handshakeFailure } from "../handshake_failures.ts";

/** The codes that this protocol closes connections with. */
export const CODE = {
  goodbye: 0,
  token: 1,
  hello: 2,
  slow: 3,
  full: 4,
  replaced: 5,
  stalled: 6,
  protocol: 7,
} as const;

const MEANINGS: Record<number, string> = {
  [CODE.goodbye]: "the peer has closed the connection",
  [CODE.token]: "the server rejected the token",
  [CODE.hello]: "the server did not understand the hello",
  [CODE.slow]: "the server received no hello in time",
  [CODE.full]: "the server has reached its maximum number of peers",
  [CODE.replaced]: "another connection came from the same address",
  [CODE.stalled]: "the peer waited too long for its messages to be received",
  [CODE.protocol]: "the peer reported a protocol error",
};

/** Describes why the peer closed the connection. */
export function meaningOf({ closeCode, reason }: Deno.QuicCloseInfo): string {
  return MEANINGS[closeCode] ??
    `the peer has closed the connection: ${quote(reason)} (code ${closeCode})`;
}

/** Describes why a connection was lost that no end closed. */
export function endOf(error: unknown): string {
  const reason = reasonOf(error);
  return reason === "timed out"
    ? "the connection is lost: the peer was silent for too long"
    : `the connection is lost: ${reason}`;
}

/** The error of a send on a connection that has ended. */
export function notConnected(why = "the connection is closed"): Error {
  return new errors.NotConnected(why);
}

/** The error of a connection that the server closed during the hello. */
export function refusal(info: Deno.QuicCloseInfo): Error {
  const text = meaningOf(info);
  return info.closeCode === CODE.token
    ? new errors.PermissionDenied(text)
    : new errors.ConnectionRefused(text);
}

/**
 * Rewords the error of a handshake as one line that names the reason.
 *
 * @param ms How long the handshake has taken.
 */
export function dialFailure(cause: unknown, ms: number): unknown {
  const reason = reasonOf(cause);
  if (reason.includes("refused to accept")) {
    return new errors.ConnectionRefused(
      "the server accepts no more connections now",
      { cause },
    );
  }
  return reason === "timed out" ? noAnswer(ms) : handshakeFailure(cause);
}

/** The error of a handshake that was never answered. */
export function noAnswer(ms: number): Error {
  return new errors.TimedOut(
    `no answer within ${ms} ms: nothing listens there, or UDP does not get through`,
  );
}

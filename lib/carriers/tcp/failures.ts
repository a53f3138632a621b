import { errors } from "../../errors.ts";

/** Why a connection was closed before its peer closed it. */
export type Lateness = "handshake" | "idle" | "slow" | "unread";

/** Why this end has closed a connection. */
export type Fault = Lateness | "malformed";

const REASONS: Record<Fault, string> = {
  handshake: "its TLS handshake took too long",
  idle: "it was idle for too long",
  slow: "it sent a message too slowly",
  unread: "it does not read",
  malformed: "it sent what is no length of a message",
};

// The errors of a peer that has left, in TLS also without a goodbye.
const ENDINGS = [
  errors.BrokenPipe,
  errors.ConnectionReset,
  errors.ConnectionAborted,
  errors.UnexpectedEof,
];

/** The error of a send to a peer that does not read. */
export function notRead(ms: number, cause: unknown): Error {
  return new errors.TimedOut(
    `the peer has read nothing for ${ms} ms, and its connection is closed`,
    { cause },
  );
}

/**
 * Rewords the error of a connection that has ended.
 *
 * @param fault Why this end has closed it, if it has.
 */
export function brokenBy(
  cause: unknown,
  fault: Fault | undefined,
): unknown {
  if (fault !== undefined) {
    return new errors.ConnectionReset(
      `its connection was closed: ${REASONS[fault]}`,
      { cause },
    );
  }
  return ENDINGS.some((ending) => cause instanceof ending)
    ? new errors.ConnectionReset("the peer has closed the connection", {
      cause,
    })
    : cause;
}

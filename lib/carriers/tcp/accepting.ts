import { errors } from "../../errors.ts";

// What accept(2) fails with if the client has left before it was accepted, or if
// the network reports an error of that connection.
const OF_ONE = [
  errors.NotConnected,
  errors.ConnectionAborted,
  errors.ConnectionReset,
  errors.ConnectionRefused,
  errors.BrokenPipe,
  errors.TimedOut,
  errors.NetworkUnreachable,
];
// Linux: ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, EHOSTDOWN,
// EHOSTUNREACH, which Deno has no class for.
const NUMBERS = /\(os error (?:64|71|92|95|100|112|113)\)/;

/**
 * Whether an error of `accept` concerns only the connection that would have been
 * accepted. The next one can be accepted at once.
 */
export function isOfOneConnection(error: unknown): boolean {
  return OF_ONE.some((known) => error instanceof known) ||
    (error instanceof Error && NUMBERS.test(error.message));
}

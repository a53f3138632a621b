import { type ErrorName, errors } from "../../errors.ts";

// As Deno's own sockets put it.
const MEANINGS: Readonly<
  Record<string, readonly [why: string, name?: ErrorName]>
> = {
  EACCES: ["Permission denied", "PermissionDenied"],
  EADDRINUSE: ["Address already in use", "AddrInUse"],
  EADDRNOTAVAIL: ["Cannot assign requested address", "AddrNotAvailable"],
  EAFNOSUPPORT: ["Address family not supported by protocol"],
  EBADF: ["the socket is closed", "BadResource"],
  ECANCELED: ["the socket is closed", "Interrupted"],
  ECONNREFUSED: ["Connection refused", "ConnectionRefused"],
  ECONNRESET: ["Connection reset by peer", "ConnectionReset"],
  EHOSTUNREACH: ["No route to host"],
  EINVAL: ["Invalid argument"],
  EMFILE: ["Too many open files"],
  EMSGSIZE: ["Message too long"],
  ENETDOWN: ["Network is down"],
  ENETUNREACH: ["Network is unreachable", "NetworkUnreachable"],
  ENOBUFS: ["No buffer space available"],
  ENODEV: ["No such device"],
  ENOMEM: ["Cannot allocate memory"],
  EPERM: ["Operation not permitted", "PermissionDenied"],
  ERR_SOCKET_DGRAM_NOT_RUNNING: ["the socket is closed", "BadResource"],
};

/** Returns the error that Deno's own sockets would throw for one of `node:dgram`. */
export function meaningOf(cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause
    ? cause.code
    : undefined;
  if (typeof code !== "string" || !Object.hasOwn(MEANINGS, code)) return cause;
  const [why, name] = MEANINGS[code] ?? [];
  const Class = name === undefined ? Error : errors[name];
  return new Class(`${why} (${code})`, { cause });
}

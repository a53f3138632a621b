import { errors } from "../errors.ts";
import { findBuiltin } from "../runtime.ts";

interface Os {
  readonly constants: { readonly errno: Readonly<Record<string, number>> };
}

/** What the errors of the system have in Node. */
export interface SystemFailure extends Error {
  code: string;
  errno: number;
  syscall: string;
  address?: string;
  port?: number;
}

// What a carrier reports without the system's code.
const CODES = [
  ["AddrInUse", "EADDRINUSE"],
  ["BadResource", "ECANCELED"],
  ["Interrupted", "ECANCELED"],
  ["AddrNotAvailable", "EADDRNOTAVAIL"],
  ["PermissionDenied", "EACCES"],
  ["NotCapable", "EACCES"],
  ["ConnectionRefused", "ECONNREFUSED"],
  ["ConnectionReset", "ECONNRESET"],
  ["NetworkUnreachable", "ENETUNREACH"],
  ["NotSupported", "ENOTSUP"],
  ["NotFound", "ENODEV"],
] as const;
const UNKNOWN = 4094;

/**
 * Makes the error of a call that the system has refused, as Node does.
 *
 * @param cause What the carrier reported.
 */
export function systemFailure(
  syscall: string,
  code: string,
  { address, port, cause }: {
    address?: string | undefined;
    port?: number | undefined;
    cause?: unknown;
  } = {},
): SystemFailure {
  const host = address === undefined ? "" : ` ${address}`;
  const place = port ? `${host}:${port}` : host;
  const options = cause === undefined ? undefined : { cause };
  const error = new Error(`${syscall} ${code}${place}`, options);
  return Object.assign(error, {
    ...{ errno: errnoOf(code), code, syscall },
    ...(address !== undefined && { address }),
    ...(port && { port }),
  });
}

/** Returns the system's name of what a carrier reported, such as `EADDRINUSE`. */
export function codeOf(cause: unknown): string {
  const { code, message } = (cause ?? {}) as {
    code?: unknown;
    message?: string;
  };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  const [, named] = /\((E[A-Z0-9]+)\)/.exec(message ?? "") ?? [];
  if (named !== undefined) return named;
  const [, number] = /os error (\d+)/.exec(message ?? "") ?? [];
  const known = Object.entries(errnos()).find(([, value]) =>
    value === Number(number)
  );
  if (known !== undefined) return known[0];
  const found = CODES.find(([name]) => cause instanceof errors[name]);
  return found?.[1] ?? "UNKNOWN";
}

/** Makes an error of Node's own, which has a code and no number. */
export function failure(
  code: string,
  message: string,
  Class: new (message: string) => Error = Error,
): Error {
  const error = Object.assign(new Class(message), { code });
  const { name, stack } = error;
  // As Node shows it: `TypeError [ERR_INVALID_ARG_TYPE]: …`.
  if (stack?.startsWith(`${name}:`)) {
    const value = `${name} [${code}]${stack.slice(name.length)}`;
    Object.defineProperty(error, "stack", {
      ...{ value, configurable: true, writable: true },
    });
  }
  return error;
}

/** The error of a socket that is closed. */
export function notRunning(): Error {
  return failure("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
}

/** Returns the system's number of an error, as Node has it: negative. */
export function errnoOf(code: string): number {
  return -(errnos()[code] ?? UNKNOWN);
}

function errnos(): Readonly<Record<string, number>> {
  return findBuiltin<Os>("node:os")?.constants.errno ?? {};
}

import type { BufferKind } from "../control.ts";
import { errnoOf } from "./failures.ts";

const MESSAGES: Readonly<Record<string, string>> = {
  EBADF: "bad file descriptor",
  EINVAL: "invalid argument",
  ENOTSUP: "operation not supported on socket",
};

/** The error of a buffer whose size cannot be set or read, as Node's. */
export function bufferFailure(kind: BufferKind, code: string): Error {
  const name = kind === "receive" ? "recv" : "send";
  const syscall = `uv_${name}_buffer_size`;
  const errno = errnoOf(code);
  const message = MESSAGES[code] ?? "the system refused it";
  const error = new Error(
    `Could not get or set buffer size: ${syscall} returned ${code} (${message})`,
  );
  const hidden = (value: unknown) => ({
    ...{ value, configurable: true, writable: true },
  });
  Object.defineProperties(error, {
    name: hidden("SystemError"),
    stack: hidden(
      error.stack?.replace(/^Error/, "SystemError [ERR_SOCKET_BUFFER_SIZE]"),
    ),
    code: { ...hidden("ERR_SOCKET_BUFFER_SIZE"), enumerable: true },
    info: { ...hidden({ errno, code, message, syscall }), enumerable: true },
    ...accessors({ errno, syscall }),
  });
  return error;
}

/** Node has accessors there, which `util.inspect` shows. */
function accessors(values: Record<string, unknown>): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(values).map(([name, first]) => {
      let value = first;
      return [name, {
        get: () => value,
        set: (next) => value = next,
        enumerable: true,
        configurable: true,
      }];
    }),
  );
}

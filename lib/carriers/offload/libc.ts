import { errors } from "../../errors.ts";

// From Linux's headers: the same on x86-64 and arm64.
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_TIMESTAMPNS = 35;
export const SO_MEMINFO = 55;
export const SOL_IP = 0;
export const IP_TOS = 1;
export const IP_PKTINFO = 8;
export const IP_RECVTOS = 13;
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
export const UDP_GRO = 104;
export const SOL_IPV6 = 41;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const POLLIN = 1;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLONESHOT = 0x4000_0000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_MOD = 3;
const EFD_NONBLOCK = SOCK_NONBLOCK;
const EFD_CLOEXEC = SOCK_CLOEXEC;
/** For `dup3` and `epoll_create1`. */
export const O_CLOEXEC: number = SOCK_CLOEXEC;

export const EPERM = 1;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EACCES = 13;
export const EINVAL = 22;
export const EMSGSIZE = 90;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETUNREACH = 101;
export const ECONNREFUSED = 111;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: {
    parameters: ["i32", "buffer", "u32", "i32", "pointer"],
    result: "i32",
  },
  ppoll: {
    parameters: ["buffer", "usize", "buffer", "pointer"],
    result: "i32",
  },
  sched_yield: { parameters: [], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  // Runs on a thread of Deno's pool.
  epoll_wait_in_thread: {
    name: "epoll_wait",
    parameters: ["i32", "pointer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  malloc: { parameters: ["usize"], result: "pointer" },
  free: { parameters: ["pointer"], result: "void" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  strerror: { parameters: ["i32"], result: "pointer" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Symbols = Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;

/** The system calls that the carrier makes. Tests replace some by faults. */
export interface Libc extends Omit<Symbols, "eventfd" | "__errno_location"> {
  /** Returns the error of the last call on this thread that failed. */
  errno(): number;
  /** Opens an `eventfd` that does not block. */
  eventfd(): number;
  /** Unloads the library. No call may be made after it. */
  unload(): void;
}

/**
 * Returns the function that loads the system's C library. All sockets share what
 * it loads, and nothing stays loaded when all of them are closed.
 *
 * @throws {Deno.errors.NotSupported} Not Linux on x86-64 or arm64.
 * @throws {Deno.errors.NotCapable} Needs `--allow-ffi`, for all files: pointers
 * to memory take the whole permission.
 */
export function systemLibc(): () => Libc {
  const { os, arch } = Deno.build;
  if (os !== "linux" || (arch !== "x86_64" && arch !== "aarch64")) {
    throw new errors.NotSupported(
      `offload is for Linux on x86-64 and arm64: this is ${os} on ${arch}`,
    );
  }
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted") {
    throw new errors.NotCapable(
      "Requires ffi access, run again with the --allow-ffi flag",
    );
  }
  return load;
}

function load(): Libc {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  const { symbols } = library;
  // Its place is fixed for this thread. No call on another thread needs it.
  const errno = new Deno.UnsafePointerView(symbols.__errno_location()!);
  return {
    ...symbols,
    errno: () => errno.getInt32(),
    eventfd: () => symbols.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    unload: () => library.close(),
  };
}

/** Returns what a call returned, unless that is a failure. */
export function checked(libc: Libc, result: number): number {
  if (result >= 0) return result;
  throw systemError(libc, libc.errno());
}

/** Makes an error of the class that Deno's own sockets throw for that number. */
export function systemError(libc: Libc, errno: number): Error {
  const text = libc.strerror(errno);
  const message = text === null
    ? "unknown error"
    : Deno.UnsafePointerView.getCString(text);
  const Class = CLASSES[errno] ?? Error;
  return new Class(`${message} (os error ${errno})`);
}

const CLASSES: Record<number, new (message: string) => Error> = {
  [EPERM]: errors.PermissionDenied,
  [EACCES]: errors.PermissionDenied,
  [EADDRINUSE]: errors.AddrInUse,
  [EADDRNOTAVAIL]: errors.AddrNotAvailable,
  [ENETUNREACH]: errors.NetworkUnreachable,
  [ECONNREFUSED]: errors.ConnectionRefused,
};

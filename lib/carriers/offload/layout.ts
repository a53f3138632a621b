/**
 * Linux's structures on x86-64 and arm64 (64-bit pointers, little-endian):
 * offsets of their fields and sizes, in bytes. A test compares them with the C
 * compiler's.
 */
export const SOCKADDR_IN = { family: 0, port: 2, addr: 4, size: 16 } as const;
export const SOCKADDR_IN6 = {
  family: 0,
  port: 2,
  addr: 8,
  scope: 24,
  size: 28,
} as const;
export const IOVEC = { base: 0, len: 8, size: 16 } as const;
export const MMSGHDR = {
  name: 0,
  namelen: 8,
  iov: 16,
  iovlen: 24,
  control: 32,
  controllen: 40,
  flags: 48,
  len: 56,
  size: 64,
} as const;
export const CMSGHDR = { len: 0, level: 8, type: 12, data: 16 } as const;
export const IN_PKTINFO = {
  ifindex: 0,
  specDst: 4,
  addr: 8,
  size: 12,
} as const;
export const IN6_PKTINFO = { addr: 0, ifindex: 16, size: 20 } as const;
export const POLLFD = { fd: 0, events: 4, revents: 6, size: 8 } as const;
/** Packed on x86-64, so that 32-bit programs have the same. */
export const EPOLL_EVENT: Readonly<Record<"events" | "data" | "size", number>> =
  Deno.build.arch === "x86_64"
    ? { events: 0, data: 4, size: 12 }
    : { events: 0, data: 8, size: 16 };
export const TIMESPEC = { sec: 0, nsec: 8, size: 16 } as const;
/** The index of the dropped datagrams in the `uint32_t`s of `SO_MEMINFO`. */
export const SK_MEMINFO_DROPS = 8;

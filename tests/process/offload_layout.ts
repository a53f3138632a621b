import { assertEquals } from "@std/assert";
import * as layout from "../../lib/carriers/offload/layout.ts";
import { CONTROL_SIZE } from "../../lib/carriers/offload/metadata.ts";
import * as libc from "../../lib/carriers/offload/libc.ts";

const {
  CMSGHDR,
  EPOLL_EVENT,
  IN6_PKTINFO,
  IN_PKTINFO,
  IOVEC,
  MMSGHDR,
  POLLFD,
  SOCKADDR_IN,
  SOCKADDR_IN6,
  TIMESPEC,
} = layout;

const OFFSETS: [struct: string, field: string, offset: number][] = [
  ["struct sockaddr_in", "sin_family", SOCKADDR_IN.family],
  ["struct sockaddr_in", "sin_port", SOCKADDR_IN.port],
  ["struct sockaddr_in", "sin_addr", SOCKADDR_IN.addr],
  ["struct sockaddr_in6", "sin6_family", SOCKADDR_IN6.family],
  ["struct sockaddr_in6", "sin6_port", SOCKADDR_IN6.port],
  ["struct sockaddr_in6", "sin6_addr", SOCKADDR_IN6.addr],
  ["struct sockaddr_in6", "sin6_scope_id", SOCKADDR_IN6.scope],
  ["struct iovec", "iov_base", IOVEC.base],
  ["struct iovec", "iov_len", IOVEC.len],
  ["struct mmsghdr", "msg_hdr.msg_name", MMSGHDR.name],
  ["struct mmsghdr", "msg_hdr.msg_namelen", MMSGHDR.namelen],
  ["struct mmsghdr", "msg_hdr.msg_iov", MMSGHDR.iov],
  ["struct mmsghdr", "msg_hdr.msg_iovlen", MMSGHDR.iovlen],
  ["struct mmsghdr", "msg_hdr.msg_control", MMSGHDR.control],
  ["struct mmsghdr", "msg_hdr.msg_controllen", MMSGHDR.controllen],
  ["struct mmsghdr", "msg_hdr.msg_flags", MMSGHDR.flags],
  ["struct mmsghdr", "msg_len", MMSGHDR.len],
  ["struct cmsghdr", "cmsg_len", CMSGHDR.len],
  ["struct cmsghdr", "cmsg_level", CMSGHDR.level],
  ["struct cmsghdr", "cmsg_type", CMSGHDR.type],
  ["struct in_pktinfo", "ipi_ifindex", IN_PKTINFO.ifindex],
  ["struct in_pktinfo", "ipi_spec_dst", IN_PKTINFO.specDst],
  ["struct in_pktinfo", "ipi_addr", IN_PKTINFO.addr],
  ["struct in6_pktinfo", "ipi6_addr", IN6_PKTINFO.addr],
  ["struct in6_pktinfo", "ipi6_ifindex", IN6_PKTINFO.ifindex],
  ["struct pollfd", "fd", POLLFD.fd],
  ["struct pollfd", "events", POLLFD.events],
  ["struct pollfd", "revents", POLLFD.revents],
  ["struct epoll_event", "events", EPOLL_EVENT.events],
  ["struct epoll_event", "data", EPOLL_EVENT.data],
  ["struct timespec", "tv_sec", TIMESPEC.sec],
  ["struct timespec", "tv_nsec", TIMESPEC.nsec],
];

const SIZES: [expression: string, size: number][] = [
  ["sizeof(struct sockaddr_in)", SOCKADDR_IN.size],
  ["sizeof(struct sockaddr_in6)", SOCKADDR_IN6.size],
  ["sizeof(struct iovec)", IOVEC.size],
  ["sizeof(struct mmsghdr)", MMSGHDR.size],
  ["CMSG_LEN(0)", CMSGHDR.data],
  ["CMSG_SPACE(sizeof(int))", CMSGHDR.data + 8],
  ["sizeof(struct in_pktinfo)", IN_PKTINFO.size],
  ["sizeof(struct in6_pktinfo)", IN6_PKTINFO.size],
  [
    "CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)) + " +
    "CMSG_SPACE(sizeof(struct in6_pktinfo)) + " +
    "CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))",
    CONTROL_SIZE,
  ],
  ["sizeof(struct pollfd)", POLLFD.size],
  ["sizeof(struct epoll_event)", EPOLL_EVENT.size],
  ["sizeof(struct timespec)", TIMESPEC.size],
  ["SK_MEMINFO_DROPS", layout.SK_MEMINFO_DROPS],
];

Deno.test("structures and constants are those of the C compiler", async () => {
  const constants = Object.entries(libc)
    .filter(([name, value]) =>
      /^[A-Z_0-9]+$/.test(name) && typeof value === "number"
    ) as [string, number][];
  const expressions: [string, number][] = [
    ...OFFSETS.map(([struct, field, offset]): [string, number] => [
      `offsetof(${struct}, ${field})`,
      offset,
    ]),
    ...SIZES,
    ...constants,
  ];
  const source = `#define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <netinet/in.h>
    #include <netinet/udp.h>
    #include <poll.h>
    #include <stddef.h>
    #include <stdio.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <time.h>
    #include <linux/sock_diag.h>
    int main(void) {
      ${expressions.map(([c]) => `printf("%ld\\n", (long) (${c}));`).join("\n")}
    }`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/layout.c`, source);
    const cc = await new Deno.Command("cc", {
      args: ["-o", `${folder}/layout`, `${folder}/layout.c`],
    }).output();
    assertEquals(new TextDecoder().decode(cc.stderr), "");
    const { stdout } = await new Deno.Command(`${folder}/layout`).output();
    const values = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(
      expressions.map(([expression], i) => [expression, Number(values[i])]),
      expressions,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Rare results of system calls, produced by a C library of the test's own.
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  connect,
  type ConnectedSocket,
  type DatagramSocket,
} from "../../mod.ts";
import { offloadBy } from "../../lib/carriers/offload/source.ts";
import {
  EAGAIN,
  ECONNREFUSED,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENETUNREACH,
  EPOLLOUT,
  type Libc,
  systemLibc,
} from "../../lib/carriers/offload/libc.ts";
import { EPOLL_EVENT } from "../../lib/carriers/offload/layout.ts";
import { LOOPBACK, SOON } from "../support/helpers.ts";

/** Returns a C library with some calls replaced; `fail` sets `errno`. */
function faulty(
  change: (libc: Libc, fail: (errno: number) => -1) => Partial<Libc>,
): () => Libc {
  const open = systemLibc();
  return () => {
    const libc = open();
    let errno: number | undefined;
    const fail = (number: number): -1 => {
      errno = number;
      return -1;
    };
    return {
      ...libc,
      errno: () => {
        const failed = errno ?? libc.errno();
        errno = undefined;
        return failed;
      },
      ...change(libc, fail),
    };
  };
}

async function texts(socket: DatagramSocket, count: number): Promise<string[]> {
  const got: string[] = [];
  for await (const batch of socket.batches(SOON)) {
    got.push(...batch.map((datagram) => datagram.text()));
    if (got.length >= count) break;
  }
  return got;
}

const MESSAGES = Array.from({ length: 200 }, (_, i) => `${i + 100}`);

const WAYS: Record<string, (client: ConnectedSocket) => Promise<number>> = {
  sendMany: (client) => client.sendMany(MESSAGES),
  sendRun: (client) => client.sendRun(MESSAGES.join(""), 3),
};

/** Sends and receives all. Returns the number of slots of each `sendmmsg`. */
async function sendAll(
  open: () => Libc,
  send = WAYS["sendMany"]!,
): Promise<number[]> {
  const counts: number[] = [];
  const counting = () => {
    const libc = open();
    return {
      ...libc,
      sendmmsg: (...args: Parameters<Libc["sendmmsg"]>) => {
        counts.push(args[2]);
        return libc.sendmmsg(...args);
      },
    };
  };
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr, {
    carrier: offloadBy(counting),
  });
  // Batches end early if the event loop has to turn, as in code that is new to
  // the machine.
  for (let n = 0; n < 20; n++) await client.sendMany(["warm"]);
  await texts(socket, 20);
  counts.length = 0;
  const receiving = texts(socket, MESSAGES.length);
  assertEquals(await send(client), MESSAGES.length);
  assertEquals(await receiving, MESSAGES);
  return counts;
}

/**
 * Checks the numbers of slots. On a busy machine a call may end early, as the
 * event loop has to turn: then all is sent again.
 */
async function assertSlots(
  open: () => () => Libc,
  send: (client: ConnectedSocket) => Promise<number>,
  expected: number[],
): Promise<void> {
  let counts: number[] = [];
  for (let tries = 0; tries < 20; tries++) {
    counts = await sendAll(open(), send);
    if (`${counts}` === `${expected}`) return;
  }
  assertEquals(counts, expected);
}

/** Whether the first slot has a control message, as a run has. */
function isRun(headers: unknown): boolean {
  const { buffer } = headers as Uint8Array<ArrayBuffer>;
  return new DataView(buffer).getUint32(40, true) > 0;
}

for (const [way, send] of Object.entries(WAYS)) {
  Deno.test(`${way}: 200 equally long messages are sent in one call`, async () => {
    await assertSlots(systemLibc, send, [2]);
  });

  for (const errno of [EIO, EINVAL, EMSGSIZE]) {
    Deno.test(`${way}: a device that does not segment (${errno}) is sent datagrams one by one from then on`, async () => {
      let asked = 0;
      const open = faulty((libc, fail) => ({
        sendmmsg: (fd, headers, count, flags) => {
          if (!isRun(headers)) return libc.sendmmsg(fd, headers, count, flags);
          asked++;
          return fail(errno);
        },
      }));
      const counts = await sendAll(open, send);
      assert(counts.slice(2).every((count) => count <= 16), `${counts}`);
      // One of more than 64 datagrams may only have been too long.
      const most = errno === EINVAL ? 2 : 1;
      assert(asked >= 1 && asked <= most, `${asked}`);
    });
  }

  Deno.test(`${way}: a kernel that takes 64 datagrams in one piece is given 64`, async () => {
    const open = () => {
      let asked = 0;
      return faulty((libc, fail) => ({
        sendmmsg: (fd, headers, count, flags) =>
          isRun(headers) && ++asked === 1
            ? fail(EINVAL)
            : libc.sendmmsg(fd, headers, count, flags),
      }));
    };
    await assertSlots(open, send, [2, 4]);
  });

  Deno.test(`${way}: after a call that sends only some, another sends the rest`, async () => {
    const open = () =>
      faulty((libc) => ({
        sendmmsg: (fd, headers, count, flags) =>
          libc.sendmmsg(fd, headers, Math.min(count, 1), flags),
      }));
    await assertSlots(open, send, [2, 1]);
  });
}

Deno.test("a call that a signal interrupts is repeated", async () => {
  let n = 0;
  await sendAll(faulty((libc, fail) => ({
    sendmmsg: (...args) => n++ === 0 ? fail(EINTR) : libc.sendmmsg(...args),
    recvmmsg: (...args) => libc.recvmmsg(...args),
  })));
});

Deno.test("a send waits while the kernel has no room", async () => {
  let n = 0;
  let waited = 0;
  await sendAll(faulty((libc, fail) => ({
    sendmmsg: (...args) => n++ < 3 ? fail(EAGAIN) : libc.sendmmsg(...args),
    epoll_wait_in_thread: (...args) => {
      waited++;
      return libc.epoll_wait_in_thread(...args);
    },
  })));
  assert(waited >= 2);
});

Deno.test("sends to several peers that wait for room are all sent", async () => {
  await using stack = new AsyncDisposableStack();
  const peers = Array.from({ length: 3 }, () => stack.use(bind(LOOPBACK)));
  let n = 0;
  await using socket = bind(LOOPBACK, {
    carrier: offloadBy(faulty((libc, fail) => ({
      sendto: () => BigInt(fail(EAGAIN)),
      sendmmsg: (...args) => n++ < 9 ? fail(EAGAIN) : libc.sendmmsg(...args),
    }))),
  });
  await Promise.all(peers.map(({ addr }) => socket.send("x", addr)));
  for (const peer of peers) {
    assertEquals((await peer.receive(SOON)).text(), "x");
  }
});

Deno.test("closing the socket ends a send that waits for room", async () => {
  await using socket = bind(LOOPBACK);
  const client = await connect(socket.addr, {
    carrier: offloadBy(faulty((libc, fail) => ({
      sendto: () => BigInt(fail(EAGAIN)),
      sendmmsg: () => fail(EAGAIN),
      // There never is any room.
      epoll_ctl: (epoll, operation, fd, event) => {
        (event as Uint8Array)[EPOLL_EVENT.events]! &= ~EPOLLOUT;
        return libc.epoll_ctl(epoll, operation, fd, event);
      },
    }))),
  });
  const sending = assertRejects(
    () => client.send("x"),
    Deno.errors.BadResource,
  );
  await client[Symbol.asyncDispose]();
  await sending;
  assertEquals([client.stats.sent, client.stats.sendFailed], [0, 1]);
});

Deno.test("a send that the system refuses rejects with its error, and the socket still works", async () => {
  let n = 0;
  await using socket = bind(LOOPBACK, {
    carrier: offloadBy(faulty((libc, fail) => ({
      sendto: () => BigInt(fail(ENETUNREACH)),
      sendmmsg: (...args) =>
        n++ === 0 ? fail(ENETUNREACH) : libc.sendmmsg(...args),
    }))),
  });
  await assertRejects(
    () => socket.send("x", socket.addr),
    Deno.errors.NetworkUnreachable,
    "Network is unreachable (os error 101)",
  );
  await socket.send("y", socket.addr);
  assertEquals((await socket.receive(SOON)).text(), "y");
});

Deno.test("a late refusal rejects the waiting receive, and the next send is sent", async () => {
  await using socket = bind(LOOPBACK);
  let n = 0;
  await using client = await connect(socket.addr, {
    carrier: offloadBy(faulty((libc, fail) => ({
      // A send goes by either call: by the second one if a turn was due.
      sendto: (...args) =>
        n++ === 1 ? BigInt(fail(ECONNREFUSED)) : libc.sendto(...args),
      sendmmsg: (...args) =>
        n++ === 1 ? fail(ECONNREFUSED) : libc.sendmmsg(...args),
    }))),
  });
  const receiving = assertRejects(
    () => client.receive(SOON),
    Deno.errors.ConnectionRefused,
  );
  await client.send("a");
  await client.send("b");
  await receiving;
  assertEquals(await texts(socket, 2), ["a", "b"]);
  assertEquals([client.stats.sent, client.stats.sendFailed], [2, 0]);
});

Deno.test("an error of receiving is thrown, and the socket still works", async () => {
  let n = 0;
  await using socket = bind(LOOPBACK, {
    carrier: offloadBy(faulty((libc, fail) => ({
      recvmmsg: (...args) =>
        n++ === 0 ? fail(ENETUNREACH) : libc.recvmmsg(...args),
    }))),
  });
  await assertRejects(() => socket.receive(), Deno.errors.NetworkUnreachable);
  await socket.send("x", socket.addr);
  assertEquals((await socket.receive(SOON)).text(), "x");
});

/** Returns how many descriptors of the carrier's kinds this process has. */
async function descriptors(): Promise<number> {
  const { stdout } = await new Deno.Command("ls", {
    args: ["-l", `/proc/${Deno.pid}/fd`],
  }).output();
  return new TextDecoder().decode(stdout)
    .matchAll(/socket:|\[eventpoll]|\[eventfd]/g).toArray().length;
}

const CALLS = [
  "epoll_create1",
  "eventfd",
  "epoll_ctl",
  "getsockname",
  "dup3",
  "socket",
  "setsockopt",
  "bind",
] as const;

for (const call of CALLS) {
  Deno.test(`if ${call} fails, at whichever time, nothing stays open`, async () => {
    const before = await descriptors();
    for (let good = 0; good < 100; good++) {
      let unloaded = 0;
      let left = good;
      const open = faulty((libc, fail) => ({
        [call]: (...args: never[]) =>
          left-- > 0
            ? (libc[call] as (...args: never[]) => number)(...args)
            : fail(EINVAL),
        unload: () => {
          unloaded++;
          libc.unload();
        },
      }));
      const opening = (async () => {
        await using _ = bind(LOOPBACK, { carrier: offloadBy(open) });
      })();
      const failed = await opening.then(() => false, () => true);
      assertEquals([unloaded, await descriptors()], [1, before]);
      if (!failed) return;
    }
    throw new Error("it never worked");
  });
}

import { assert, assertEquals, assertThrows } from "@std/assert";
import { bind } from "../mod.ts";
import { LOOPBACK, SOON, testBoth } from "./support/helpers.ts";

testBoth(
  "kernelDrops is undefined without the permission",
  async (open) => {
    await using pair = await open();
    assertEquals(await pair.socket.kernelDrops(), undefined);
    pair.socket.close();
    assertEquals(await pair.socket.kernelDrops(), undefined);
  },
);

Deno.test("a datagram's text is UTF-8, with U+FFFD for invalid bytes", async () => {
  await using socket = bind(LOOPBACK);
  const bytes = [[0xc3, 0xa9], [0xff], [0xef, 0xbb, 0xbf, 0x61]];
  for (const each of bytes) {
    await socket.send(new Uint8Array(each), socket.addr);
  }
  const got = [];
  for (const _ of bytes) got.push((await socket.receive(SOON)).text());
  assertEquals(got, ["é", "\ufffd", "\ufeffa"]);
});

Deno.test("the local address is the bound one, with the port that was chosen", async () => {
  await using socket = bind(LOOPBACK);
  const { transport, hostname, port } = socket.addr;
  assertEquals({ transport, hostname }, {
    transport: "udp",
    hostname: "127.0.0.1",
  });
  assert(port > 0);
  await socket.opened;
});

Deno.test("a send to a datagram's from reaches its sender", async () => {
  await using socket = bind(LOOPBACK);
  await using peer = bind(LOOPBACK);
  await peer.send("ping", socket.addr);
  const { from } = await socket.receive(SOON);
  assertEquals(from.port, peer.addr.port);
  await socket.send("pong", from);
  assertEquals((await peer.receive(SOON)).text(), "pong");
});

Deno.test("ref and unref of a socket reach Deno's own", async () => {
  const calls: string[] = [];
  const { listenDatagram } = Deno;
  Object.defineProperty(Deno, "listenDatagram", {
    value: (options: Parameters<typeof listenDatagram>[0]) =>
      Object.assign(listenDatagram(options), {
        ref: () => void calls.push("ref"),
        unref: () => void calls.push("unref"),
      }),
  });
  try {
    await using socket = bind(LOOPBACK);
    socket.unref();
    socket.ref();
    assertEquals(calls, ["unref", "ref"]);
  } finally {
    Object.defineProperty(Deno, "listenDatagram", { value: listenDatagram });
  }
});

Deno.test("without Deno's unstable net, the error is one line that names the flag", () => {
  const { listenDatagram } = Deno;
  Object.defineProperty(Deno, "listenDatagram", { value: undefined });
  try {
    assertThrows(() => bind(LOOPBACK), TypeError, "--unstable-net");
  } finally {
    Object.defineProperty(Deno, "listenDatagram", { value: listenDatagram });
  }
});

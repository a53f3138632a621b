import { assert, assertEquals, assertRejects } from "@std/assert";
import { bind, connect, serve } from "../mod.ts";
import { LOOPBACK, net, SOON } from "./support/helpers.ts";

Deno.test("an IPv4 socket sends to an IPv4-mapped address, in every form", async () => {
  await using socket = bind(LOOPBACK);
  await using peer = bind(LOOPBACK);
  const { port } = peer.addr;
  const forms = [
    `udp://[::ffff:127.0.0.1]:${port}`,
    `udp://[::ffff:7f00:1]:${port}`,
    net("::ffff:127.0.0.1", port),
    net("0:0:0:0:0:ffff:127.0.0.1", port),
  ];
  for (const to of forms) {
    await socket.send("x", to);
    assertEquals((await peer.receive(SOON)).text(), "x");
  }
  assertEquals(
    await socket.sendMany(forms.map((to) => ({ data: "y", to }))),
    4,
  );
});

Deno.test("connect to an IPv4-mapped loopback address binds loopback only", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using client = await connect(
    `udp://[::ffff:127.0.0.1]:${server.addr.port}`,
  );
  assertEquals(client.addr.hostname, "127.0.0.1");
  assertEquals((await client.request("x", SOON)).text(), "x");
});

Deno.test("a socket cannot send to a URL object, and the error says how", async () => {
  await using socket = bind(LOOPBACK);
  for (const url of ["udp://127.0.0.1:9", "http://127.0.0.1/"]) {
    await assertRejects(
      () => socket.send("x", new URL(url) as never),
      TypeError,
      'Invalid address "a URL": give its text: url.href without a path',
    );
  }
});

for (
  const [what, to] of [
    ["a short form", net("127.1", 9)],
    ["another scheme", { ...net("127.0.0.1", 9), transport: "tcp" as const }],
    ["control characters", net("a\x1b[31mb", 9)],
    ["a path", { transport: "unixpacket" as const, path: "/tmp/\x1b" }],
  ] as const
) {
  Deno.test(`an object with ${what} is checked as text is`, async () => {
    await using socket = bind(LOOPBACK);
    const error = await assertRejects(
      () => socket.send("x", to),
      TypeError,
    );
    assert(!/\p{Cc}/u.test(error.message), error.message);
    assertEquals(error.name, "InvalidAddressError");
  });
}

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bind,
  type BindOptions,
  connect,
  DatagramSocket,
  dgram,
  InvalidAddressError,
  serve,
} from "../mod.ts";
import { systemClock } from "../lib/clock.ts";
import type { SchemeAddr } from "../lib/addr.ts";
import { FakeCarrier, FakeClock } from "./support/fakes.ts";
import { LOOPBACK, net, SOON, turn, until } from "./support/helpers.ts";

/** Returns the sources that a socket with these options accepts. */
async function accepted(options: BindOptions, ...sources: string[]) {
  const carrier = new FakeCarrier({ addr: net("::", 62_000) });
  using socket = new DatagramSocket(carrier, options);
  for (const host of sources) carrier.deliver(host, net(host, 1));
  const texts: string[] = [];
  for (const _ of sources) {
    const datagram = await socket.tryReceive();
    if (datagram) texts.push(datagram.text());
  }
  const { dropped } = socket.stats;
  assertEquals(texts.length + (dropped["denied"] ?? 0), sources.length);
  return texts;
}

for (
  const [what, options, sources, expected] of [
    ["allow accepts its networks only", { allow: ["10.0.0.0/8", "fd00::/8"] }, [
      "10.1.2.3",
      "11.0.0.1",
      "fd12::1",
      "fe80::1",
    ], ["10.1.2.3", "fd12::1"]],
    ["deny accepts all but its networks", { deny: ["10.0.0.0/8"] }, [
      "10.1.2.3",
      "11.0.0.1",
      "::1",
    ], ["11.0.0.1", "::1"]],
    [
      "deny wins over allow",
      {
        allow: ["10.0.0.0/8"],
        deny: ["10.0.0.66"],
      },
      ["10.0.0.66", "10.0.0.67"],
      ["10.0.0.67"],
    ],
    [
      "an IPv4 source of an IPv6 socket is matched as IPv4",
      {
        allow: ["192.0.2.0/24"],
      },
      ["::ffff:192.0.2.7", "::ffff:192.0.3.7"],
      ["::ffff:192.0.2.7"],
    ],
    [
      "a network with host bits set is that network",
      {
        allow: ["10.9.8.7/8"],
      },
      ["10.0.0.1"],
      ["10.0.0.1"],
    ],
    ["an empty allow accepts no source", { allow: [] }, ["127.0.0.1"], []],
    ["0.0.0.0/0 is all of IPv4 and nothing else", { allow: ["0.0.0.0/0"] }, [
      "8.8.8.8",
      "::1",
    ], ["8.8.8.8"]],
    ["::/0 is all of IPv6 and nothing else", { allow: ["::/0"] }, [
      "8.8.8.8",
      "::ffff:8.8.8.8",
      "::1",
      "ffff::",
    ], ["::1", "ffff::"]],
    [
      "a network of mapped addresses is one of IPv4",
      {
        allow: ["::ffff:10.0.0.0/104"],
      },
      ["10.1.2.3", "11.0.0.1"],
      ["10.1.2.3"],
    ],
    ["a prefix may end within a byte", {
      allow: ["10.0.8.0/21", "fd00:8::/29"],
    }, [
      "10.0.7.255",
      "10.0.8.0",
      "10.0.15.255",
      "10.0.16.0",
      "fd00:7::",
      "fd00:f:ffff::",
      "fd00:10::",
    ], ["10.0.8.0", "10.0.15.255", "fd00:f:ffff::"]],
    [
      "a host that is no IP address is in no network",
      {
        allow: ["0.0.0.0/0", "::/0"],
      },
      ["host", ""],
      [],
    ],
  ] satisfies [string, BindOptions, string[], string[]][]
) {
  Deno.test(`guard: ${what}, the rest is counted`, async () => {
    assertEquals(await accepted(options, ...sources), expected);
  });
}

for (
  const bad of [
    "",
    "10.0.0",
    "10.0.0.0/33",
    "::/129",
    "host",
    "10.0.0.0/",
    "/8",
    "x@[::1",
  ]
) {
  Deno.test(`guard: the network ${JSON.stringify(bad)} is rejected`, () => {
    const error = assertThrows(
      () => bind(LOOPBACK, { allow: [bad] }),
      InvalidAddressError,
      "give a network",
    );
    assert(error.message.includes(JSON.stringify(bad)));
  });
}

for (
  const options of [
    { rateLimit: 0 },
    { rateLimit: NaN },
    { rateLimit: -1 },
    { rateLimit: { perSecond: 10, burst: 0 } },
    { rateLimit: { perSecond: 10, burst: 1.5 } },
    { answerLimit: 0 },
    { maxAmplification: 0 },
    { maxAmplification: NaN },
  ]
) {
  Deno.test(`guard: ${Deno.inspect(options)} is rejected`, () => {
    assertThrows(
      () => bind(LOOPBACK, options),
      RangeError,
      `Cannot bind ${LOOPBACK}: `,
    );
  });
}

Deno.test("guard: its options are rejected for a unix socket", () => {
  assertThrows(
    () => bind("unix:/nowhere/pli.sock", { allow: ["10.0.0.0/8"] }),
    TypeError,
    "allow needs IP addresses",
  );
});

Deno.test("rateLimit accepts a burst at once, then its rate, from each source", async () => {
  const clock = new FakeClock();
  const carrier = new FakeCarrier({ clock });
  using socket = new DatagramSocket(carrier, {
    rateLimit: { perSecond: 10, burst: 3 },
  });
  const counted = () => {
    const { received, dropped } = socket.stats;
    return received + dropped["rateLimited"]!;
  };
  const take = async (n: number, host: string) => {
    const before = socket.stats.received;
    const earlier = counted();
    const receiving = Array.from({ length: n }, () => socket.receive());
    for (const one of receiving) one.catch(() => {});
    for (let i = 0; i < n; i++) carrier.deliver("x", net(host, 1 + i));
    await until(() => counted() === earlier + n);
    return socket.stats.received - before;
  };
  assertEquals(await take(5, "10.0.0.1"), 3);
  assertEquals(await take(2, "10.0.0.2"), 2);
  clock.advance(100);
  assertEquals(await take(5, "10.0.0.1"), 1);
  clock.advance(100_000);
  assertEquals(await take(5, "10.0.0.1"), 3);
  assertEquals(socket.stats.dropped["rateLimited"], 8);
});

Deno.test("rateLimit counts an IPv6 host's whole /64 as one source", async () => {
  const carrier = new FakeCarrier({ clock: new FakeClock() });
  using socket = new DatagramSocket(carrier, { rateLimit: 1 });
  const receiving = socket.receive();
  const next = socket.receive();
  carrier.deliver("a", net("2001:db8::1", 1));
  carrier.deliver("b", net("2001:db8::2", 1));
  carrier.deliver("c", net("2001:db8:0:1::1", 1));
  assertEquals((await receiving).text(), "a");
  assertEquals((await next).text(), "c");
});

/** Makes a bound socket over a fake carrier that has received one datagram. */
async function received(host: string, size: number, options?: BindOptions) {
  const clock = new FakeClock();
  const carrier = new FakeCarrier({ addr: net(host, 62_000), clock });
  const socket = new DatagramSocket(carrier, options);
  const receive = () => {
    carrier.deliver(new Uint8Array(size));
    return socket.receive();
  };
  return { carrier, socket, clock, receive, datagram: await receive() };
}

Deno.test("beyond loopback a peer gets at most three times the bytes that it sent", async () => {
  const { socket, datagram, receive, carrier } = await received("0.0.0.0", 4);
  assertEquals(await socket.answer("a".repeat(13), datagram), false);
  assertEquals(await socket.answer("a".repeat(12), datagram), true);
  assertEquals(await socket.answer("a", datagram), false);
  // The sum counts: the credit that one datagram leaves is used by the next.
  const [second, third] = [await receive(), await receive()];
  assertEquals(await socket.answer("", second), true);
  assertEquals(await socket.answer("a".repeat(24), third), true);
  assertEquals(carrier.sent.map(({ data }) => data.length), [12, 0, 24]);
  assertEquals(socket.stats.withheld, { answerRate: 0, amplification: 2 });
  socket.close();
});

Deno.test("on loopback an answer may be of any size", async () => {
  const { socket, datagram } = await received("127.0.0.1", 1);
  assertEquals(await socket.answer("a".repeat(1000), datagram), true);
  socket.close();
});

Deno.test("a maxAmplification of Infinity lifts the limit", async () => {
  const { socket, datagram } = await received("0.0.0.0", 1, {
    maxAmplification: Infinity,
  });
  assertEquals(await socket.answer("a".repeat(1000), datagram), true);
  socket.close();
});

Deno.test("answerLimit bounds the answers to each peer, and counts the rest", async () => {
  const { socket, datagram, clock } = await received("127.0.0.1", 1, {
    answerLimit: { perSecond: 10, burst: 2 },
  });
  const answer = () => socket.answer("x", datagram);
  assertEquals([await answer(), await answer(), await answer()], [
    true,
    true,
    false,
  ]);
  clock.advance(100);
  assertEquals([await answer(), await answer()], [true, false]);
  assertEquals(socket.stats.withheld, { answerRate: 2, amplification: 0 });
  assertEquals(socket.stats.sent, 3);
  socket.close();
});

Deno.test("over connections a peer is answered as often as it asks", async () => {
  const addr: SchemeAddr = { ...net("0.0.0.0", 62_000), scheme: "tls" };
  const carrier = new FakeCarrier({ addr, clock: new FakeClock() });
  using socket = new DatagramSocket(carrier);
  const from: SchemeAddr = { ...net("192.0.2.1", 1), scheme: "tls" };
  carrier.deliver("x", from);
  const datagram = await socket.receive();
  for (let n = 0; n < 10_100; n++) await socket.answer("x", datagram);
  assertEquals(socket.stats.sent, 10_100);
});

Deno.test("a loop between two echo servers ends", async () => {
  // On a slow machine they would never be faster than the limit.
  const clock = { ...systemClock, now: () => 0 };
  const open = () => {
    const udp = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
    return Object.assign(dgram().listen(udp), { clock });
  };
  const carrier = open();
  await carrier.opened;
  await using one = serve(LOOPBACK, ({ data }) => data, {
    carrier: { listen: () => carrier },
  });
  await using other = serve(LOOPBACK, ({ data }) => data, {
    carrier: { listen: open },
  });
  const underWay = 50;
  for (let n = 0; n < underWay; n++) {
    await carrier.send(new Uint8Array(10), other.addr);
  }
  const withheld = () =>
    [one, other].reduce(
      (sum, { stats }) => sum + (stats.withheld["answerRate"] ?? 0),
      0,
    );
  while (withheld() < underWay) await turn();
  const sent = one.stats.sent + other.stats.sent;
  // The limit has 10,000 for each; one of them has used it up first.
  assert(sent > 20_000 - underWay && sent <= 20_000, `${sent} answers`);
  // A third peer still gets its answer.
  await using client = await connect(one.addr);
  assertEquals((await client.request("hello", SOON)).text(), "hello");
  assertEquals(one.stats.sent + other.stats.sent, sent + 1);
});

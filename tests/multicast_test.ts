import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  bind,
  DatagramSocket,
  type MulticastOptions,
  SocketClosedError,
} from "../mod.ts";
import { FakeCarrier } from "./support/fakes.ts";
import { LOOPBACK, SOON } from "./support/helpers.ts";

// Deno has no option for the interface to send on. Linux uses the one that has
// the sender's address, so datagrams of a socket on 127.0.0.1 to a group stay on
// loopback, and no route is needed.
const ON_LOOPBACK = { interface: "127.0.0.1" };

/** Returns a group that no other program uses: it is made from the port. */
function groupOf(socket: DatagramSocket): string {
  const { port } = socket.addr;
  return `239.255.${port >> 8}.${port & 255}`;
}

Deno.test("a datagram to a group reaches each of its members", async () => {
  await using first = bind("udp://0.0.0.0:0", { reuseAddress: true });
  await using second = bind(first.addr, { reuseAddress: true });
  const group = groupOf(first);
  await using _first = await first.joinMulticast(group, ON_LOOPBACK);
  await using _second = await second.joinMulticast(group, ON_LOOPBACK);
  await using sender = bind(LOOPBACK);
  await sender.send("to all", `${group}:${first.addr.port}`);
  for (const member of [first, second]) {
    const datagram = await member.receive(SOON);
    assertEquals(datagram.text(), "to all");
    assertEquals(datagram.from.port, sender.addr.port);
  }
});

Deno.test("a socket that left a group still receives all other datagrams", async () => {
  await using member = bind("udp://0.0.0.0:0");
  const { port } = member.addr;
  const group = groupOf(member);
  await using sender = bind(LOOPBACK);
  await sender.send("before joining", `${group}:${port}`);
  const membership = await member.joinMulticast(group, ON_LOOPBACK);
  assertEquals(membership.group, group);
  await sender.send("as a member", `${group}:${port}`);
  await membership.leave();
  await sender.send("after leaving", `${group}:${port}`);
  await sender.send("directly", `127.0.0.1:${port}`);
  assertEquals((await member.receive(SOON)).text(), "as a member");
  assertEquals((await member.receive(SOON)).text(), "directly");
});

Deno.test("await using leaves the group, and it can be joined again", async () => {
  await using member = bind("udp://0.0.0.0:0");
  const { port } = member.addr;
  const group = groupOf(member);
  await using sender = bind(LOOPBACK);
  for (const text of ["first", "second"]) {
    await using _membership = await member.joinMulticast(group, ON_LOOPBACK);
    await sender.send(text, `${group}:${port}`);
  }
  await sender.send("after leaving", `${group}:${port}`);
  await sender.send("directly", `127.0.0.1:${port}`);
  const got = [];
  for (let i = 0; i < 3; i++) got.push((await member.receive(SOON)).text());
  assertEquals(got, ["first", "second", "directly"]);
});

Deno.test("a socket bound to a group's address receives only the group's datagrams", async () => {
  await using port = bind("udp://0.0.0.0:0");
  const group = groupOf(port);
  await using member = bind(`udp://${group}:0`);
  await using _membership = await member.joinMulticast(group, ON_LOOPBACK);
  await using sender = bind(LOOPBACK);
  await sender.send("directly", `127.0.0.1:${member.addr.port}`);
  await sender.send("to the group", `${group}:${member.addr.port}`);
  assertEquals((await member.receive(SOON)).text(), "to the group");
});

Deno.test("a socket on 127.0.0.1 receives no group's datagrams", async () => {
  await using member = bind(LOOPBACK);
  const { port } = member.addr;
  const group = groupOf(member);
  await using _membership = await member.joinMulticast(group, ON_LOOPBACK);
  await using sender = bind(LOOPBACK);
  await sender.send("to the group", `${group}:${port}`);
  await sender.send("directly", `127.0.0.1:${port}`);
  assertEquals((await member.receive(SOON)).text(), "directly");
});

Deno.test("an IPv6 group is joined and left on an interface by its index", async () => {
  await using member = bind("udp://[::]:0");
  // 1 is loopback on every Linux.
  const membership = await member.joinMulticast("ff02::1234", { interface: 1 });
  assertEquals(membership.group, "ff02::1234");
  await membership.leave();
  await using _again = await member.joinMulticast("ff02::1234", {
    interface: 1,
  });
  await assertRejects(
    () => member.joinMulticast("ff02::1234", { interface: 2 ** 31 - 1 }),
    Error,
    'Cannot join "ff02::1234" on udp://[::]:',
  );
});

Deno.test("a datagram to an IPv6 group reaches its members, if there is an IPv6 network", async () => {
  await using member = bind("udp://[::]:0");
  const { port } = member.addr;
  const group = `ff02::1:${port.toString(16)}`;
  const membership = await member.joinMulticast(group)
    .catch((error: Error) => error);
  if (membership instanceof Error) {
    // Loopback alone does not carry IPv6 groups.
    return assertStringIncludes(membership.message, "No such device");
  }
  await using sender = bind("udp://[::]:0");
  await sender.send("to all", `[${group}]:${port}`);
  assertEquals((await member.receive(SOON)).text(), "to all");
  await membership.leave();
  await sender.send("after leaving", `[${group}]:${port}`);
  await sender.send("directly", `[::1]:${port}`);
  assertEquals((await member.receive(SOON)).text(), "directly");
});

Deno.test("leaving twice, or after the close, does nothing", async () => {
  await using member = bind("udp://0.0.0.0:0");
  const first = await member.joinMulticast("239.255.0.1", ON_LOOPBACK);
  await first.leave();
  await first.leave();
  const second = await member.joinMulticast("239.255.0.2", ON_LOOPBACK);
  member.close();
  await second.leave();
  await second[Symbol.asyncDispose]();
  await assertRejects(
    () => member.joinMulticast("239.255.0.3", ON_LOOPBACK),
    SocketClosedError,
  );
});

for (
  const [name, group, options] of [
    ["an address that is not a group's", "127.0.0.1", {}],
    ["the address before the first group", "223.255.255.255", {}],
    ["the address after the last group", "240.0.0.0", {}],
    ["an IPv6 address that is not a group's", "fe80::1", {}],
    ["a group with a port", "239.1.2.3:5", {}],
    ["a name", "all.example", {}],
    ["an IPv6 group that is not an address", "ff02::zz", {}],
    ["nothing", "", {}],
    ["undefined", undefined, {}],
    ["a ttl of -1", "239.1.2.3", { ttl: -1 }],
    ["a ttl of 256", "239.1.2.3", { ttl: 256 }],
    ["a ttl of 1.5", "239.1.2.3", { ttl: 1.5 }],
    ["a ttl for IPv6", "ff02::1234", { ttl: 1 }],
    ["an index for IPv4", "239.1.2.3", { interface: 1 }],
    ["an interface's name for IPv4", "239.1.2.3", { interface: "lo" }],
    ["an empty interface for IPv4", "239.1.2.3", { interface: "" }],
    ["an IPv6 interface for IPv4", "239.1.2.3", { interface: "::1" }],
    ["an address for IPv6", "ff02::1234", { interface: "::1" }],
    ["a negative index", "ff02::1234", { interface: -1 }],
    ["a broken index", "ff02::1234", { interface: 0.5 }],
    ["too large an index", "ff02::1234", { interface: 2 ** 32 }],
  ] as [string, string, MulticastOptions][]
) {
  Deno.test(`joining with ${name} is a RangeError`, async () => {
    await using socket = bind("udp://0.0.0.0:0");
    await assertRejects(
      () => socket.joinMulticast(group, options),
      RangeError,
      `Cannot join "${group}" on udp://0.0.0.0:${socket.addr.port}: `,
    );
  });
}

Deno.test("joining over a carrier without multicast is NotSupported", async () => {
  await using socket = new DatagramSocket(new FakeCarrier({}));
  await assertRejects(
    () => socket.joinMulticast("239.1.2.3"),
    Deno.errors.NotSupported,
    'Cannot join "239.1.2.3" on udp://127.0.0.1:62000: ',
  );
});

Deno.test("one source, over a carrier that joins groups whole, is NotSupported", async () => {
  const join = () => Promise.reject(new Error("joined"));
  const carrier = Object.assign(new FakeCarrier({}), {
    ...{ joinMulticastV4: join, joinMulticastV6: join },
  });
  await using socket = new DatagramSocket(carrier);
  await assertRejects(
    () => socket.joinMulticast("232.1.2.3", { source: "192.0.2.1" }),
    Deno.errors.NotSupported,
    "its carrier has no memberships for one source; pass { carrier: dgram() }",
  );
});

Deno.test("the carrier gets group, interface, ttl and loopback", async () => {
  const calls: unknown[][] = [];
  const membership = (leave: string) => ({
    setTTL: (ttl: number) => Promise.resolve(void calls.push(["ttl", ttl])),
    setLoopback: (on: boolean) =>
      Promise.resolve(void calls.push(["loopback", on])),
    leave: () => Promise.resolve(void calls.push([leave])),
  });
  const carrier = Object.assign(new FakeCarrier({}), {
    joinMulticastV4(...args: unknown[]) {
      calls.push(["v4", ...args]);
      return Promise.resolve(membership("leave v4"));
    },
    joinMulticastV6(...args: unknown[]) {
      calls.push(["v6", ...args]);
      return Promise.resolve(membership("leave v6"));
    },
  });
  await using socket = new DatagramSocket(carrier);
  const first = await socket.joinMulticast("239.1.2.3", {
    interface: "192.0.2.7",
    ttl: 0,
    loopback: false,
  });
  const second = await socket.joinMulticast("FF02::1", { interface: 7 });
  await socket.joinMulticast("239.1.2.4");
  await socket.joinMulticast("ff02::2");
  await first.leave();
  await second.leave();
  assertEquals(calls, [
    ["v4", "239.1.2.3", "192.0.2.7"],
    ["ttl", 0],
    ["loopback", false],
    ["v6", "FF02::1", 7],
    ["v4", "239.1.2.4", "0.0.0.0"],
    ["v6", "ff02::2", 0],
    ["leave v4"],
    ["leave v6"],
  ]);
});

Deno.test("a group is left again if the options cannot be set", async () => {
  let left = 0;
  const membership = {
    setTTL: () => Promise.reject(new Error("no")),
    setLoopback: () => Promise.reject(new Error("no")),
    leave: () => Promise.resolve(void left++),
  };
  const carrier = Object.assign(new FakeCarrier({}), {
    joinMulticastV4: () => Promise.resolve(membership),
    joinMulticastV6: () => Promise.resolve(membership),
  });
  await using socket = new DatagramSocket(carrier);
  await assertRejects(
    () => socket.joinMulticast("239.1.2.3", { ttl: 2 }),
    Error,
    'Cannot join "239.1.2.3" on udp://127.0.0.1:62000: no',
  );
  assertEquals(left, 1);
});

Deno.test("only a socket on loopback's broadcast address receives its datagrams", async () => {
  await using listener = bind("udp://127.255.255.255:0");
  const { port } = listener.addr;
  await using other = bind(`udp://127.0.0.1:${port}`);
  await using sender = bind(LOOPBACK);
  await sender.send("to all", listener.addr);
  await sender.send("directly", other.addr);
  assertEquals((await listener.receive(SOON)).text(), "to all");
  assertEquals((await other.receive(SOON)).text(), "directly");
  assert(await listener.tryReceive() === undefined);
});

Deno.test("a socket on 0.0.0.0 receives broadcasts on loopback", async () => {
  await using listener = bind("udp://0.0.0.0:0");
  await using sender = bind(LOOPBACK);
  await sender.send("to all", `127.255.255.255:${listener.addr.port}`);
  const { from } = await listener.receive(SOON);
  assertEquals(from.port, sender.addr.port);
});

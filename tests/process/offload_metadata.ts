// What the system tells of a datagram besides its bytes and its sender.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bind,
  connect,
  type Datagram,
  type DatagramSocket,
  errors,
  InvalidAddressError,
  type NetAddr,
  serve,
  traced,
} from "../../mod.ts";
import { collect } from "../../lib/collect.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { LOOPBACK, net, SOON } from "../support/helpers.ts";
import { Program } from "./support/programs.ts";

const ANY = "udp://0.0.0.0:0";
const ALL = ["to", "ecn", "time"] as const;
const carrier = offload();

/** Opens a client that hears only the host that it asks. */
function clientOf({ addr }: Pick<DatagramSocket, "addr">, hostname: string) {
  return connect(net(hostname, addr.port));
}

Deno.test("a socket on 0.0.0.0 knows the address a datagram came to, and answers from it", async () => {
  for (const source of [carrier, traced(carrier, () => {})]) {
    await using socket = bind(ANY, { carrier: source });
    for (const host of ["127.0.0.1", "127.0.0.2", "127.4.5.6"]) {
      await using client = await clientOf(socket, host);
      await client.send("question");
      const datagram = await socket.receive(SOON);
      assertEquals(datagram.to, net(host, socket.addr.port));
      assertEquals(datagram.from, client.addr);
      assert(await socket.answer("answer", datagram));
      assertEquals((await client.receive(SOON)).text(), "answer");
      await socket.send("sent", datagram.from, { from: datagram.to });
      assertEquals((await client.receive(SOON)).text(), "sent");
      assertEquals(client.stats.dropped["stranger"], 0);
    }
  }
});

Deno.test("serve, collect and the server program answer from the address they were asked at", async () => {
  const answer = ({ data, to }: Datagram) => {
    // The answer does not depend on what a handler does to its datagram.
    if (to !== undefined) Object.assign(to, { hostname: "127.0.0.9" });
    return data;
  };
  const ask = async (port: number, hostname: string) => {
    await using client = await connect(net(hostname, port));
    await client.send(hostname);
    assertEquals((await client.receive(SOON)).text(), hostname);
  };
  {
    await using server = serve(ANY, answer, { carrier });
    await ask(server.addr.port, "127.0.0.2");
  }
  {
    await using socket = bind(ANY, { carrier });
    const collector = collect(socket, { count: 1, answer });
    await ask(socket.addr.port, "127.0.0.3");
    await collector.finished;
  }
  const flags = ["--allow-net", "--allow-ffi"];
  const args = ["0.0.0.0:0", "--fast", "--echo"];
  await using server = new Program("server.ts", args, { flags });
  const [, port] = await server.said(/^listening on .*:(\d+)$/);
  await ask(Number(port), "127.0.0.4");
});

Deno.test("answers to one peer leave from the address that each question came to", async () => {
  await using socket = bind(ANY, { carrier });
  await using peer = bind("udp://127.0.0.1:0");
  const hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.4"];
  for (const host of hosts) await peer.send(host, net(host, socket.addr.port));
  const datagrams: Datagram<NetAddr>[] = [];
  for await (const datagram of socket) {
    if (datagrams.push(datagram) === hosts.length) break;
  }
  for (const datagram of datagrams) await socket.answer("", datagram);
  const answered = [];
  for (const _ of hosts) {
    answered.push((await peer.receive(SOON)).from.hostname);
  }
  assertEquals(answered, hosts);
});

Deno.test("batches, runs and single datagrams have to, ecn and time", async () => {
  const source = offload({ metadata: ALL });
  await using socket = bind(LOOPBACK, { carrier: source });
  await using client = await connect(socket.addr, { carrier });
  const check = ({ to, ecn, time }: Partial<Datagram>, before: number) => {
    assertEquals([to, ecn], [socket.addr, 0]);
    // The clock of Date.now is that of the stamp, in whole milliseconds.
    assert(time! >= before && time! <= Date.now() + 1, `${time}`);
  };
  for (const reuse of [false, true]) {
    let before = Date.now();
    await client.sendRun(new Uint8Array(250), 100);
    let count = 0;
    for await (const run of socket.runs({ reuse })) {
      check(run, before);
      count += run.count;
      if (count === 3) break;
    }
    before = Date.now();
    await client.sendRun(new Uint8Array(250), 100);
    const seen: Datagram[] = [];
    for await (const batch of socket.batches({ reuse })) {
      batch.forEach((datagram) => check(datagram, before));
      seen.push(...batch);
      if (seen.length === 3) break;
    }
    // The addresses of a run's datagrams are separate objects.
    assertEquals(new Set(seen.map(({ to }) => to)).size, 3);
  }
  const before = Date.now();
  await client.sendRun(new Uint8Array(250), 100);
  for (let n = 0; n < 3; n++) check(await socket.receive(SOON), before);
  assertEquals(await socket.tryReceive(), undefined);
});

Deno.test("what was not asked for is absent", async () => {
  await using socket = bind(LOOPBACK, { carrier });
  await socket.send("", socket.addr);
  const datagram = await socket.receive(SOON);
  assertEquals(Object.keys(datagram), ["data", "from", "truncated"]);
  await using other = bind(ANY, { carrier });
  await socket.send("", net("127.0.0.1", other.addr.port));
  const { to, ...rest } = await other.receive(SOON);
  assertEquals(to, net("127.0.0.1", other.addr.port));
  assertEquals(["ecn" in rest, "time" in rest], [false, false]);
});

Deno.test("an IPv6 socket knows where datagrams of both families came to, and answers", async () => {
  const source = offload({ metadata: ALL });
  await using socket = bind("udp://[::]:0", { carrier: source });
  const { port } = socket.addr;
  for (
    const [host, to] of [["127.0.0.7", "::ffff:127.0.0.7"], ["::1", "::1"]]
  ) {
    await using client = await clientOf(socket, host!);
    await client.send("question");
    const datagram = await socket.receive(SOON);
    assertEquals([datagram.to, datagram.ecn], [net(to!, port), 0]);
    assert(datagram.time! > 0);
    await socket.answer("answer", datagram);
    assertEquals((await client.receive(SOON)).text(), "answer");
    assertEquals(client.stats.dropped["stranger"], 0);
  }
});

Deno.test("the ECN bits are those that a peer has set, in both families", async () => {
  const source = offload({ metadata: ["ecn"] });
  const level = { "127.0.0.1": "0, 1", "[::1]": "41, 67" };
  for (const [host, option] of Object.entries(level)) {
    await using socket = bind(`udp://${host}:0`, { carrier: source });
    const { hostname, port } = socket.addr;
    const family = host.startsWith("[") ? "AF_INET6" : "AF_INET";
    const code = `import socket
s = socket.socket(socket.${family}, socket.SOCK_DGRAM)
for bits in range(4):
    s.setsockopt(${option}, 0xb8 | bits)
    s.sendto(b"%d" % bits, ("${hostname}", ${port}))`;
    const python = new Deno.Command("python3", { args: ["-c", code] });
    const { success, stderr } = await python.output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    for (let bits = 0; bits < 4; bits++) {
      const datagram = await socket.receive(SOON);
      assertEquals([datagram.text(), datagram.ecn], [`${bits}`, bits]);
    }
  }
});

Deno.test("a datagram to everyone has that address, and is answered from the system's choice", async () => {
  await using socket = bind(ANY, { carrier });
  await using peer = bind("udp://127.0.0.1:0", { carrier });
  await peer.send("question", net("127.255.255.255", socket.addr.port));
  const datagram = await socket.receive(SOON);
  assertEquals(datagram.to, net("127.255.255.255", socket.addr.port));
  assert(await socket.answer("answer", datagram));
  assertEquals((await peer.receive(SOON)).text(), "answer");
});

Deno.test("a local address that cannot be sent from is refused, and what would do is said", async () => {
  await using peer = bind(LOOPBACK);
  await using plain = bind(LOOPBACK);
  const from = net("127.0.0.1", 0);
  const missing = await assertRejects(
    () => plain.send("", peer.addr, { from }),
    errors.NotSupported,
    "its carrier cannot choose the local address; offload() can",
  );
  assertEquals(missing.message.split("\n").length, 1);
  await using socket = bind(ANY, { carrier });
  const send = (from: Deno.NetAddr) => socket.send("", peer.addr, { from });
  await assertRejects(
    () => send(net("203.0.113.9", 0)),
    errors.AddrNotAvailable,
    "203.0.113.9 is not an address of this machine with a way to the peer",
  );
  await assertRejects(() => send(net("a.name", 1)), InvalidAddressError);
  await assertRejects(() => send("127.0.0.1" as never), TypeError);
  await assertRejects(() => send(net("::1", 0)), InvalidAddressError);
  assertEquals(socket.stats.sendFailed, 4);
  // The socket goes on.
  await send(net("127.0.0.8", 0));
  assertEquals((await peer.receive(SOON)).from.hostname, "127.0.0.8");
});

Deno.test("metadata that does not exist is refused", () => {
  assertThrows(() => offload({ metadata: ["ttl" as "to"] }), RangeError);
  assertThrows(() => offload({ metadata: "to" as never }), TypeError);
});

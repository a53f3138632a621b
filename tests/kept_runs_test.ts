/** A run that waits: its datagrams are made one by one, when they are taken. */
import { assert, assertEquals } from "@std/assert";
import { ConnectedSocket, type Datagram, type DatagramSocket } from "../mod.ts";
import {
  batchBound,
  cut,
  FakeBatchCarrier,
  run,
} from "./support/fake_batches.ts";
import { pattern, PEER, random, SOON } from "./support/helpers.ts";

const KIB = 1024;

type Socket = DatagramSocket | ConnectedSocket;

/** The ways to receive; each takes up to so many datagrams. */
const WAYS: Record<
  string,
  (socket: Socket, count: number) => Promise<Datagram[]>
> = {
  async receive(socket, count) {
    const got = [];
    while (got.length < count) got.push(await socket.receive(SOON));
    return got;
  },
  async iterate(socket, count) {
    const got = [];
    for await (const datagram of socket) {
      if (got.push(datagram) === count) break;
    }
    return got;
  },
  async batches(socket, count) {
    const got: Datagram[] = [];
    while (got.length < count) {
      const max = count - got.length;
      const { value } = await socket.batches({ max, ...SOON }).next();
      got.push(...value);
    }
    return got;
  },
  async "what is more than a batch that is lent"(socket, count) {
    const lent = await socket.batches({ max: 1, reuse: true }).next();
    const [first] = lent.value as Datagram[];
    const got = [first!];
    // Its memory is used again.
    const copy = { ...first!, data: first!.data.slice() };
    if (count > 1) got.push(...await WAYS["iterate"]!(socket, count - 1));
    return [copy as Datagram, ...got.slice(1)];
  },
};

for (const [way, take] of Object.entries(WAYS)) {
  Deno.test(`${way}: the datagrams of a run are whole, in order, each aligned`, async () => {
    for (const size of [1, 7, 8, 9, 100, 1_200, 2_048, 2_049, 9_000]) {
      const { carrier, socket } = batchBound();
      const bytes = pattern(Math.floor(64 * KIB / size) * size - (size >> 1));
      const arrived = cut(bytes, size);
      carrier.deliver(arrived);
      const got = await take(socket, arrived.count);
      for (const [i, { data }] of got.entries()) {
        assertEquals(
          data,
          bytes.slice(i * size, (i + 1) * size),
          `${size} ${i}`,
        );
        assertEquals(data.byteOffset % 8, 0, `${size} bytes, ${i}`);
        const beyond = data.buffer.byteLength - data.length;
        assert(beyond <= 8 * KIB, `${size} bytes, ${i}: ${beyond}`);
      }
      assertEquals(socket.stats.received, arrived.count);
      assertEquals(socket.stats.bytes, bytes.length);
      assertEquals(socket.stats.waiting, 0);
      socket.close();
    }
  });
}

Deno.test("a changed address of one datagram of a run changes no other", async () => {
  const { carrier, socket } = batchBound();
  carrier.deliver(run(["a", "b", "c", "d"]));
  for await (const { from, data } of socket) {
    assertEquals(from, PEER);
    from.hostname = "192.0.2.1";
    from.port = 9;
    if (data[0] === "d".charCodeAt(0)) break;
  }
  socket.close();
});

Deno.test("receivers of all kinds share a run: each datagram once, in order", async () => {
  const below = random(7);
  for (let round = 0; round < 50; round++) {
    const { carrier, socket } = batchBound();
    let sent = 0;
    const got: string[] = [];
    const ways = Object.values(WAYS).slice(0, 3);
    while (sent < 200) {
      const text = () => String(1000 + sent++);
      const runs = Array.from(
        { length: 1 + below(3) },
        () => run(Array.from({ length: 1 + below(20) }, text)),
      );
      carrier.deliver(...runs);
      const count = runs.reduce((sum, { count }) => sum + count, 0);
      for (let left = count; left > 0;) {
        const some = 1 + below(left);
        const taken = await ways[below(3)]!(socket, some);
        got.push(...taken.map((datagram) => datagram.text()));
        left -= taken.length;
      }
    }
    assertEquals(got, Array.from({ length: sent }, (_, i) => String(1000 + i)));
    socket.close();
  }
});

Deno.test("a request takes its reply out of the middle of a run", async () => {
  const carrier = new FakeBatchCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  const match = ({ data }: Datagram) => data[0] === "b".charCodeAt(0);
  const reply = socket.request("?", { match, ...SOON });
  carrier.deliver(run(["a", "b", "c", "d"]));
  assertEquals((await reply).text(), "b");
  const { waiting } = socket.stats;
  const rest = await WAYS["iterate"]!(socket, waiting);
  assertEquals(rest.map((datagram) => datagram.text()), ["a", "c", "d"]);
  carrier.deliver(run(["e", "f", "g"]));
  await socket.receive(SOON);
  socket.close();
  const { received, dropped } = socket.stats;
  assertEquals([received, dropped["closed"]], [5, 2]);
});

Deno.test("a rate limit ends in the middle of a run, and each datagram counts", async () => {
  const { carrier, socket } = batchBound({
    rateLimit: { perSecond: 1, burst: 3 },
  });
  carrier.deliver(run(["a", "b", "c", "d", "e"]));
  const got = [];
  for (let i = 0; i < 3; i++) got.push((await socket.receive(SOON)).text());
  assertEquals(got, ["a", "b", "c"]);
  assertEquals(socket.stats.dropped["rateLimited"], 2);
  socket.close();
});

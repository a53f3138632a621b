import { assert, assertEquals, assertRejects } from "@std/assert";
import { collect } from "../lib/collect.ts";
import { type Datagram, DatagramSocket, SocketClosedError } from "../mod.ts";
import { batchBound } from "./support/fake_batches.ts";
import { FakeCarrier, FakeClock, fakeServer } from "./support/fakes.ts";
import {
  isPending,
  net,
  PEER,
  STRANGER,
  turn,
  until,
} from "./support/helpers.ts";

const never = new Promise<never>(() => {});
const OTHERS = Array.from({ length: 3 }, (_, i) => net("127.0.0.2", 1000 + i));

/** A carrier whose one peer takes nothing. */
function withDeaf(carrier: FakeCarrier): FakeCarrier {
  carrier.onSend = (data, to) =>
    "port" in to && to.port === STRANGER.port
      ? never
      : Promise.resolve(data.length);
  return carrier;
}

Deno.test("a peer whose handlers never end leaves three quarters to the others", async () => {
  const { carrier, server } = fakeServer(({ from, data }) =>
    from.port === STRANGER.port ? never : data
  );
  for (let n = 0; n < 2000; n++) carrier.deliver("mine", STRANGER);
  for (const peer of OTHERS) carrier.deliver("theirs", peer);
  while (carrier.sent.length < OTHERS.length) await turn();
  assertEquals(carrier.sent.map(({ to }) => to), OTHERS);
  const { received, waiting, dropped } = server.stats;
  assertEquals([received, waiting, dropped["busy"]], [2003, 0, 0]);
});

Deno.test("a peer's datagrams beyond its share wait, and are served in order", async () => {
  let isOpen = false;
  const gates: (() => void)[] = [];
  const order: string[] = [];
  let running = 0;
  let most = 0;
  const { carrier, server } = fakeServer(async (datagram) => {
    order.push(datagram.text());
    most = Math.max(most, ++running);
    if (!isOpen) await new Promise<void>((go) => gates.push(go));
    running--;
    return datagram.data;
  }, { maxConcurrent: 40 });
  const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const text of texts) carrier.deliver(text);
  while (carrier.queued > 0) await turn();
  await turn();
  assertEquals([running, most], [10, 10]);
  isOpen = true;
  for (const go of gates) go();
  await server.shutdown();
  assertEquals([order, most], [texts, 10]);
  assertEquals(carrier.sentTexts.length, 100);
});

Deno.test("what exceeds a peer's line is counted as busy, and the sums stay exact", async () => {
  const { carrier, server } = fakeServer(() => never, { maxConcurrent: 8 });
  const large = new Uint8Array(64_000);
  for (let n = 0; n < 100; n++) carrier.deliver(large, STRANGER);
  carrier.deliver("x", PEER);
  while (carrier.queued > 0) await turn();
  await turn();
  const { received, bytes, dropped } = server.stats;
  assertEquals(received + dropped["busy"]!, 101);
  // 2 run and 4 MiB wait.
  assertEquals(dropped["busy"], 100 - 2 - Math.floor(4 * 1024 ** 2 / 64_256));
  assertEquals(bytes, (received - 1) * 64_000 + 1);
});

Deno.test("empty datagrams in a peer's line are bounded too", async () => {
  const { carrier, server } = fakeServer(() => never, { maxConcurrent: 8 });
  for (let n = 0; n < 20_000; n++) carrier.deliver("", STRANGER);
  while (carrier.queued > 0) await turn();
  await turn();
  assertEquals(server.stats.received, 2 + 4 * 1024 ** 2 / 256);
});

Deno.test("a peer that takes no answers holds up no other peer of a server", async () => {
  const { carrier, server } = fakeServer(({ data }) => data);
  withDeaf(carrier);
  for (let n = 0; n < 2000; n++) {
    carrier.deliver("x", STRANGER);
    if (n % 100 === 0) carrier.deliver(`${n}`, PEER);
  }
  const answered = () =>
    carrier.sent.filter(({ to }) => "port" in to && to.port === PEER.port);
  while (answered().length < 20) await turn();
  assertEquals(server.stats.sent, 20);
});

Deno.test("shutdown waits 5 s for a peer that takes no answers, then counts and ends", async () => {
  const clock = new FakeClock();
  const { carrier, errors, server } = fakeServer(({ data }) => data, { clock });
  withDeaf(carrier);
  for (let n = 0; n < 300; n++) carrier.deliver("x", STRANGER);
  while (carrier.queued > 0) await turn();
  await turn();
  const done = server.shutdown();
  await turn();
  clock.advance(4999);
  assertEquals(await isPending(done), true);
  clock.advance(5000);
  await done;
  const { received, dropped, sent, sendFailed, sending } = server.stats;
  assertEquals([received, dropped["busy"]], [256, 44]);
  // One is with the carrier, which never answers; the others have failed.
  assertEquals([sent, sendFailed, sending], [0, 255, 1]);
  while (errors.length < 255) await turn();
  assertEquals(errors.length, 255);
  assertEquals(clock.timers, 0);
});

Deno.test("shutdown waits for a handler, however long it takes", async () => {
  const clock = new FakeClock();
  const gate = Promise.withResolvers<string>();
  const called = Promise.withResolvers<void>();
  const { carrier, server } = fakeServer(() => {
    called.resolve();
    return gate.promise;
  }, { clock });
  carrier.deliver("x");
  await called.promise;
  const done = server.shutdown();
  for (let n = 0; n < 5; n++) {
    clock.advance(60_000);
    assertEquals(await isPending(done), true);
  }
  gate.resolve("late");
  await done;
  assertEquals(carrier.sentTexts, ["late"]);
});

Deno.test("a peer that takes no answers does not stop a collector, and costs its own only", async () => {
  const clock = new FakeClock();
  const carrier = withDeaf(new FakeCarrier({ clock }));
  const socket = new DatagramSocket(carrier, { answerLimit: Infinity });
  const large = "x".repeat(64_000);
  const collector = collect(socket, {
    answer: () => large,
    onError: () => {},
  });
  for (let n = 0; n < 500; n++) {
    carrier.deliver("x", STRANGER);
    if (n % 10 === 0) carrier.deliver("x", PEER);
  }
  while (socket.stats.sent < 50 || carrier.queued > 0) await turn();
  const stopped = collector.stop();
  await turn();
  clock.advance(5000);
  assertEquals(await stopped, "stopped");
  const { received, sent, withheld } = await collector.stats();
  assertEquals([received, sent], [550, 50]);
  // 256 were being sent, 4 MiB waited and were given up at the end.
  assertEquals(withheld["busy"], 500 - 256);
  socket.close();
});

Deno.test("a server answers to the sender, whatever its handler does to the datagram", async () => {
  const { carrier, server } = fakeServer((datagram) => {
    datagram.from.port = 69;
    Object.assign(datagram, { from: { ...STRANGER } });
    return "answer";
  });
  carrier.deliver("x", PEER);
  while (carrier.sent.length === 0) await turn();
  assertEquals(carrier.sent[0]?.to, PEER);
  await server.shutdown();
});

Deno.test("a sendMany waits only for sends to its own peers", async () => {
  const { carrier, socket } = batchBound();
  const slow = Promise.withResolvers<number>();
  carrier.send = (_, to) =>
    "port" in to && to.port === STRANGER.port
      ? slow.promise
      : carrier.sendBatch([{ data: new Uint8Array(1), to }]).then(() => 1);
  const waiting = socket.send("slow", STRANGER);
  const mine = socket.sendMany([{ data: "1", to: STRANGER }]);
  await socket.sendMany([{ data: "2", to: PEER }, { data: "3", to: PEER }]);
  await socket.send("4", PEER);
  await socket.sendMany([{ data: "5", to: PEER }]);
  assertEquals(carrier.sent.filter((t) => t !== "\0"), ["2", "3", "5"]);
  assertEquals(await isPending(mine), true);
  slow.resolve(4);
  await Promise.all([waiting, mine]);
  assertEquals(carrier.sent.at(-1), "1");
  socket.close();
});

Deno.test("a name that is not found for long holds up no other peer of a sendMany, nor its batch", async () => {
  const { carrier, socket } = batchBound();
  let batched = 0;
  carrier.onBatch = ({ length }) => (batched += length, { sent: length });
  const found = Promise.withResolvers<number>();
  carrier.send = (_, to) =>
    "hostname" in to && to.hostname === "slow.example"
      ? found.promise
      : Promise.resolve(1);
  const mixed = socket.sendMany([
    { data: "1", to: PEER },
    { data: "2", to: PEER },
    { data: "?", to: "udp://slow.example:9" },
    { data: "3", to: PEER },
  ]);
  await until(() => batched === 2);
  await socket.sendMany([{ data: "a", to: PEER }, { data: "b", to: STRANGER }]);
  await socket.send("c", PEER);
  assertEquals([batched, await isPending(mixed)], [4, true]);
  found.reject(new Error("unknown host"));
  const error = await assertRejects(() => mixed, AggregateError);
  assertEquals(error.errors.length, 1);
  assertEquals(carrier.sent, ["1", "2", "a", "b", "3"]);
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [6, 1, 0]);
  socket.close();
});

Deno.test("order per peer holds among sends and batches that overlap", async () => {
  const { carrier, socket } = batchBound();
  const gates: (() => void)[] = [];
  const order = new Map<number, string[]>();
  const note = (data: Uint8Array, to: Deno.Addr) => {
    const { port } = to as Deno.NetAddr;
    const texts = order.get(port) ?? [];
    order.set(port, texts);
    texts.push(new TextDecoder().decode(data));
  };
  let batching = 0;
  carrier.sendBatch = async (batch) => {
    assertEquals(++batching, 1);
    await new Promise<void>((go) => gates.push(go));
    batching--;
    for (const { data, to } of batch) note(data, to);
    return { sent: batch.length };
  };
  carrier.send = async (data, to) => {
    await new Promise<void>((go) => gates.push(go));
    note(data, to);
    return data.length;
  };
  const peers = [PEER, STRANGER, ...OTHERS];
  const wanted = new Map<number, string[]>(peers.map(({ port }) => [port, []]));
  const sending: Promise<unknown>[] = [];
  // Different mixtures, the same in each run.
  for (let n = 0; n < 200; n++) {
    const chosen = peers.filter((_, i) => (n * 7 + i * i * 3) % 5 < 2);
    if (n % 3 === 0) {
      const to = peers[n % 5]!;
      wanted.get(to.port)?.push(`${n}`);
      sending.push(socket.send(`${n}`, to));
    } else {
      for (const { port } of chosen) wanted.get(port)?.push(`${n}`);
      sending.push(
        socket.sendMany(chosen.map((to) => ({ data: `${n}`, to }))),
      );
    }
  }
  const all = Promise.all(sending);
  while (await isPending(all)) gates.splice(gates.length >> 1, 1)[0]?.();
  assertEquals(order, wanted);
  assertEquals(socket.stats.sending, 0);
  socket.close();
});

Deno.test("closing ends batches and sends that wait for each other", async () => {
  const { carrier, socket } = batchBound();
  carrier.send = () => never;
  const outcomes = Promise.allSettled([
    socket.send("a", STRANGER),
    socket.sendMany([{ data: "b", to: STRANGER }, { data: "c", to: PEER }]),
    socket.send("d", PEER),
    socket.sendMany([{ data: "e", to: PEER }]),
  ].slice(1));
  await turn();
  socket.close();
  for (const outcome of await outcomes) {
    assert(outcome.status === "rejected");
    assert(outcome.reason instanceof SocketClosedError);
  }
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [0, 4, 1]);
});

Deno.test("a datagram that is read while others are being handled is not lost", async () => {
  const seen: string[] = [];
  const { carrier, server } = fakeServer((datagram: Datagram) => {
    seen.push(datagram.text());
  }, { maxConcurrent: 1 });
  for (let n = 0; n < 50; n++) carrier.deliver(`${n}`, OTHERS[n % 3]);
  while (seen.length < 50) await turn();
  assertEquals(seen, Array.from({ length: 50 }, (_, n) => `${n}`));
  await server.shutdown();
});

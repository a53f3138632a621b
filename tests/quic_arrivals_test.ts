import { assert, assertEquals, assertRejects } from "@std/assert";
import { Arrivals, Share } from "../lib/carriers/quic/arrivals.ts";
import { isPending, PEER, STRANGER } from "./support/helpers.ts";

const PIECE = new Uint8Array(1000);

Deno.test("a flooding peer leaves room for others, and its losses are counted", async () => {
  const arrivals = new Arrivals();
  const flooder = new Share(STRANGER);
  const quiet = new Share(PEER);
  for (let n = 0; n < 10_000; n++) arrivals.push(flooder, PIECE);
  arrivals.push(quiet, new Uint8Array([7]));
  const kept = 10_000 - arrivals.drops.queueFull;
  assert(kept > 0 && kept * PIECE.length <= 1024 * 1024);
  const senders = [];
  for (let n = 0; n <= kept; n++) {
    const [data, from] = await arrivals.receive();
    senders.push(from);
    if (from.port === PEER.port) assertEquals(data, new Uint8Array([7]));
  }
  // Peers are served in turn: the flood does not come first.
  assertEquals(senders.slice(0, 3), [STRANGER, PEER, STRANGER]);
  assertEquals(senders.filter(({ port }) => port === PEER.port).length, 1);
  assertEquals([flooder.held, quiet.held], [0, 0]);
});

Deno.test("a datagram of a quiet peer fits although flooders have filled the queue", () => {
  const arrivals = new Arrivals();
  for (let n = 0; n < 20; n++) {
    const flooder = new Share(STRANGER);
    for (let n = 0; n < 2000; n++) arrivals.push(flooder, PIECE);
  }
  const before = arrivals.drops.queueFull;
  assertEquals(arrivals.push(new Share(PEER), PIECE), true);
  assertEquals(arrivals.drops.queueFull, before);
});

Deno.test("a peer that is held back is passed over, until it is resumed or leaves", async () => {
  const arrivals = new Arrivals();
  const [behind, other] = [new Share(STRANGER), new Share(PEER)];
  for (const share of [behind, other]) arrivals.push(share, PIECE);
  arrivals.holdBack(behind);
  assertEquals((await arrivals.receive())[1], PEER);
  const next = arrivals.receive();
  const room = arrivals.room(behind, 1);
  assert(await isPending(next) && await isPending(room));
  arrivals.resume(behind);
  assertEquals([(await next)[1], await room], [STRANGER, true]);
  arrivals.push(behind, PIECE);
  arrivals.holdBack(behind);
  const last = arrivals.receive();
  arrivals.leave(behind);
  assertEquals((await last)[1], STRANGER);
});

Deno.test("a wait for room ends when its peer leaves; what does not fit is counted", async () => {
  const arrivals = new Arrivals();
  const share = new Share(PEER);
  arrivals.push(share, new Uint8Array(2_000_000));
  const room = arrivals.room(share, 1);
  assert(await isPending(room));
  arrivals.leave(share);
  assertEquals(await room, true);
  assertEquals(arrivals.push(share, PIECE), false);
  assertEquals(arrivals.drops, { queueFull: 1, closed: 0 });
});

Deno.test("changing a sender's address changes no later one", async () => {
  const arrivals = new Arrivals();
  const share = new Share({ ...PEER });
  for (let n = 0; n < 2; n++) arrivals.push(share, PIECE);
  const [, from] = await arrivals.receive();
  from.port = 69;
  assertEquals((await arrivals.receive())[1], PEER);
});

Deno.test("empty datagrams count towards the limit", () => {
  const arrivals = new Arrivals();
  const share = new Share(PEER);
  for (let n = 0; n < 100_000; n++) arrivals.push(share, new Uint8Array());
  assert(arrivals.drops.queueFull > 50_000);
});

Deno.test("a wait for room ends when there is room, or when the queue ends", async () => {
  const arrivals = new Arrivals();
  const share = new Share(PEER);
  arrivals.push(share, new Uint8Array(2_000_000));
  const room = arrivals.room(share, 1);
  assert(await isPending(room));
  await arrivals.receive();
  assertEquals(await room, true);
  arrivals.push(share, new Uint8Array(2_000_000));
  const never = arrivals.room(share, 1);
  arrivals.close();
  assertEquals(await never, false);
  assertEquals(arrivals.drops.closed, 1);
  await assertRejects(() => arrivals.receive(), Deno.errors.BadResource);
});

Deno.test("waiting datagrams are still received after the queue has ended", async () => {
  const arrivals = new Arrivals();
  arrivals.push(new Share(PEER), PIECE);
  arrivals.end(() => new Deno.errors.ConnectionReset("gone"));
  assertEquals((await arrivals.receive())[0], PIECE);
  await assertRejects(() => arrivals.receive(), Deno.errors.ConnectionReset);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Arrivals } from "../lib/carriers/quic/arrivals.ts";
import { isPending, PEER, STRANGER } from "./support/helpers.ts";

const PIECE = new Uint8Array(1000);

Deno.test("a flooding peer leaves room for others, and its losses are counted", async () => {
  const arrivals = new Arrivals();
  const flooder = { from: STRANGER, held: 0 };
  const quiet = { from: PEER, held: 0 };
  for (let n = 0; n < 10_000; n++) arrivals.push(flooder, PIECE);
  arrivals.push(quiet, new Uint8Array([7]));
  const kept = 10_000 - arrivals.drops.queueFull;
  assert(kept > 0 && kept * PIECE.length <= 1024 * 1024);
  for (let n = 0; n < kept; n++) {
    assertEquals((await arrivals.receive())[1], STRANGER);
  }
  assertEquals((await arrivals.receive())[0], new Uint8Array([7]));
  assertEquals([flooder.held, quiet.held], [0, 0]);
});

Deno.test("empty datagrams count towards the limit", () => {
  const arrivals = new Arrivals();
  const share = { from: PEER, held: 0 };
  for (let n = 0; n < 100_000; n++) arrivals.push(share, new Uint8Array());
  assert(arrivals.drops.queueFull > 50_000);
});

Deno.test("a wait for room ends when there is room, or when the queue ends", async () => {
  const arrivals = new Arrivals();
  const share = { from: PEER, held: 0 };
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
  arrivals.push({ from: PEER, held: 0 }, PIECE);
  arrivals.end(() => new Deno.errors.ConnectionReset("gone"));
  assertEquals((await arrivals.receive())[0], PIECE);
  await assertRejects(() => arrivals.receive(), Deno.errors.ConnectionReset);
});

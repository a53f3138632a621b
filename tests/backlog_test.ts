import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Backlog,
  Backlogs,
  READ_LIMIT,
  SEND_LIMIT,
} from "../lib/carriers/backlog.ts";
import { bytesOf, isPending, turn } from "./support/helpers.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A backlog whose peer takes bytes only when the test says so. */
class Peer {
  readonly taken: number[] = [];
  readonly events: string[] = [];
  readonly backlog: Backlog;
  unsent = 0;
  #write: [Uint8Array, PromiseWithResolvers<number>] | undefined;

  constructor(all = new Backlogs(KIB)) {
    this.backlog = new Backlog({
      write: (bytes) => {
        this.#write = [bytes, Promise.withResolvers()];
        return this.#write[1].promise;
      },
      broken: (error) => {
        this.events.push(`broken: ${error}`);
        this.unsent += this.backlog.end(error);
      },
      behind: (isBehind) => this.events.push(isBehind ? "behind" : "relieved"),
      overflow: () => {
        this.events.push("overflow");
        this.unsent += this.backlog.end();
      },
    }, all);
  }

  /** How many bytes the pending write offers. */
  get offered(): number {
    return this.#write?.[0].length ?? 0;
  }

  /** Takes bytes of the pending write. */
  async take(size = this.offered): Promise<void> {
    const [bytes, { resolve }] = this.#write!;
    this.#write = undefined;
    this.taken.push(...bytes.subarray(0, size));
    resolve(Math.min(size, bytes.length));
    await turn();
  }

  async takeAll(): Promise<void> {
    while (this.#write !== undefined) await this.take();
  }

  /** Lets the pending write fail. */
  async fail(): Promise<void> {
    this.#write![1].reject(new Error("reset"));
    await turn();
  }
}

Deno.test("a backlog writes its messages in order, many small ones at once", async () => {
  const peer = new Peer();
  for (const text of ["a", "", "bc", "d"]) peer.backlog.push(bytesOf(text));
  assertEquals(peer.offered, 1);
  await peer.take();
  assertEquals(peer.offered, 3);
  await peer.takeAll();
  assertEquals(peer.taken, [...bytesOf("abcd")]);
  assertEquals([peer.backlog.length, peer.backlog.held], [0, 0]);
});

Deno.test("a backlog goes on where a peer has stopped in the middle of a message", async () => {
  const peer = new Peer();
  const message = Uint8Array.from({ length: 200 * KIB }, (_, i) => i * 7);
  peer.backlog.push(message);
  peer.backlog.push(bytesOf("end"));
  for (const size of [1, 100, 7]) await peer.take(size);
  await peer.takeAll();
  assertEquals(peer.taken, [...message, ...bytesOf("end")]);
});

Deno.test("a peer is behind from 64 KiB on, until it has taken enough", async () => {
  const peer = new Peer();
  peer.backlog.push(new Uint8Array(READ_LIMIT - KIB));
  assertEquals(peer.events, []);
  peer.backlog.push(new Uint8Array(2 * KIB));
  assertEquals([peer.events, peer.backlog.isBehind], [["behind"], true]);
  await peer.take(4 * KIB);
  assertEquals(peer.events, ["behind", "relieved"]);
  await peer.takeAll();
  assertEquals(peer.events, ["behind", "relieved"]);
});

Deno.test("from 1 MiB on messages are rejected at once, and the others are kept", async () => {
  const peer = new Peer();
  let pushed = 0;
  const error = assertThrows(() => {
    for (;; pushed++) peer.backlog.push(new Uint8Array(KIB));
  }, Deno.errors.Busy);
  assertEquals(
    error.message,
    `the peer does not take its messages: ${pushed} wait already, ${peer.backlog.held} bytes`,
  );
  assert(peer.backlog.held >= SEND_LIMIT && peer.backlog.held < 2 * SEND_LIMIT);
  await peer.takeAll();
  assertEquals(peer.taken.length, pushed * KIB);
});

Deno.test("empty messages are bounded too", () => {
  const { backlog } = new Peer();
  assertThrows(() => {
    for (let n = 0; n < 100_000; n++) backlog.push(new Uint8Array(1));
  }, Deno.errors.Busy);
});

Deno.test("all backlogs together hold at most 64 MiB: the longest ones are ended", () => {
  const all = new Backlogs(KIB);
  const good = new Peer(all);
  good.backlog.push(bytesOf("good"));
  const deaf: Peer[] = [];
  for (let n = 0; n < 100; n++) {
    const peer = new Peer(all);
    deaf.push(peer);
    for (let i = 0; i < 1023; i++) {
      peer.backlog.push(new Uint8Array(KIB - 64));
    }
    assert(all.held <= 64 * MIB, `${all.held} bytes`);
  }
  const ended = deaf.filter(({ events }) => events.includes("overflow"));
  assert(ended.length >= 30 && ended.length < 40, `${ended.length} ended`);
  assertEquals(ended.every(({ unsent }) => unsent === 1023), true);
  assertEquals([good.events, good.backlog.length], [[], 1]);
});

Deno.test("what is not written whole is counted once when a backlog ends", async () => {
  const peer = new Peer();
  peer.backlog.push(new Uint8Array(10));
  for (let n = 0; n < 4; n++) peer.backlog.push(new Uint8Array(10));
  await peer.take();
  await peer.take(25);
  // One of the four was written in part.
  const flushed = peer.backlog.flushed();
  assert(await isPending(flushed));
  const failing = assertRejects(() => flushed, Error, "reset");
  await peer.fail();
  await failing;
  assertEquals([peer.unsent, peer.backlog.end()], [2, 0]);
  assertThrows(
    () => peer.backlog.push(new Uint8Array(1)),
    Deno.errors.NotConnected,
  );
});

Deno.test("a backlog is stalled if no byte leaves for a time, not while bytes leave", async () => {
  const peer = new Peer();
  const { backlog } = peer;
  const isStalled = (afterMs: number) =>
    backlog.isStalled(performance.now() + afterMs, 5000);
  assertEquals(isStalled(9999), false);
  backlog.push(new Uint8Array(10));
  assertEquals([isStalled(4000), isStalled(5001)], [false, true]);
  const before = backlog.movedAt;
  await turn();
  await peer.take(1);
  assert(backlog.movedAt > before);
  await peer.takeAll();
  assertEquals(isStalled(9999), false);
});

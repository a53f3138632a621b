import { assert, assertEquals } from "@std/assert";
import { bind, DatagramSocket, dgram, type Run } from "../mod.ts";
import { FakeBatchCarrier, run } from "./support/fake_batches.ts";
import { PEER } from "./support/helpers.ts";

/** A carrier that never uses the memory of a batch again. */
class LeavingCarrier extends FakeBatchCarrier {
  readonly leavesMemory = true;
  readonly given: Uint8Array[] = [];

  override async receiveBatch(): Promise<readonly Run[]> {
    const runs = await super.receiveBatch();
    this.lent = [];
    this.given.push(...runs.map(({ data }) => data));
    return runs;
  }
}

Deno.test("memory that a carrier leaves is handed out as it is", async () => {
  const carrier = new LeavingCarrier();
  using socket = new DatagramSocket(carrier);
  carrier.deliver(run(["one"]), run(["two"]));
  const first = await socket.receive();
  const second = await socket.receive();
  assertEquals([first.text(), second.text()], ["one", "two"]);
  assert(first.data === carrier.given[0] && second.data === carrier.given[1]);
});

Deno.test("a datagram that is cut does not keep the memory that a carrier leaves", async () => {
  const carrier = new LeavingCarrier();
  using socket = new DatagramSocket(carrier, { maxSize: 4 });
  carrier.deliver(run(["much too long"]), run(["aaaa", "bbbb"]));
  const cut = await socket.receive();
  assertEquals([cut.text(), cut.truncated], ["much", true]);
  assert(cut.data.buffer !== carrier.given[0]?.buffer);
  const rest = [await socket.receive(), await socket.receive()];
  assertEquals(rest.map((datagram) => datagram.text()), ["aaaa", "bbbb"]);
});

Deno.test("a datagram over dgram() is no Buffer, and keeps little memory alive", async () => {
  await using socket = bind("udp://127.0.0.1:0", { carrier: dgram() });
  for (const size of [0, 1, 100, 2000, 40_000]) {
    await socket.send(new Uint8Array(size).fill(7), socket.addr);
    const { data } = await socket.receive();
    assertEquals(data, new Uint8Array(size).fill(7));
    assert(Object.getPrototypeOf(data) === Uint8Array.prototype);
    assert(data.buffer.byteLength - size <= 8192);
    // A part of a Buffer would be in the same memory.
    data.slice().fill(1);
    assert(data.every((byte) => byte === 7));
  }
});

Deno.test("datagrams over dgram() share no memory that a program could change", async () => {
  await using socket = bind("udp://127.0.0.1:0", { carrier: dgram() });
  for (let n = 0; n < 5; n++) {
    await socket.send(new Uint8Array(100).fill(n), socket.addr);
  }
  const all = [];
  while (all.length < 5) all.push(await socket.receive());
  all[1]!.data.fill(255);
  all[1]!.from.port = 1;
  for (const n of [0, 2, 3, 4]) {
    assertEquals(all[n]!.data, new Uint8Array(100).fill(n));
    assertEquals(all[n]!.from, socket.addr);
  }
});

Deno.test("thousands of datagrams that wait are taken in their order", async () => {
  const carrier = new FakeBatchCarrier();
  using socket = new DatagramSocket(carrier);
  const sent = Array.from({ length: 3000 }, (_, n) => `${n}`);
  carrier.deliver(...sent.map((text) => run([text], PEER)));
  const received: string[] = [];
  for await (const datagram of socket) {
    received.push(datagram.text());
    if (received.length === 1500) break;
  }
  for await (const batch of socket.batches({ max: 700 })) {
    received.push(...batch.map((datagram) => datagram.text()));
    if (received.length >= 3000) break;
  }
  assertEquals(received, sent);
  assertEquals(socket.stats.received, 3000);
});

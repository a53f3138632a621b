import { assert, assertEquals } from "@std/assert";
import { Link } from "../lib/testing/link.ts";
import { random } from "./support/helpers.ts";

const DRAWS = 10_000;
const SIZE = 100;
// IPv4 and UDP.
const HEADERS = 28;

Deno.test("without reorder a link keeps the order, also of copies, whatever the jitter", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const link = new Link(seed, {
      duplicate: 0.3,
      loss: 0.1,
      delayMs: { min: 0, max: 1000 },
      bandwidth: 1e6,
    });
    let last = 0;
    for (let n = 0; n < DRAWS; n++) {
      for (const { fate, at } of link.cross(SIZE, n)) {
        if (fate !== "passed") continue;
        assert(at >= last, `${at} after ${last}`);
        last = at;
      }
    }
  }
});

Deno.test("a link keeps the order when the delay shrinks", () => {
  const link = new Link(1, { delayMs: { min: 500, max: 500 } });
  const [first] = link.cross(SIZE, 0);
  link.set({ delayMs: { min: 0, max: 0 } });
  const [second] = link.cross(SIZE, 1);
  assertEquals([first.at, second.at], [500, 500]);
});

Deno.test("reorder holds some datagrams back by up to 20 ms, others keep their order", () => {
  const link = new Link(1, { reorder: 0.3 });
  let last = 0;
  let heldBack = 0;
  for (let n = 0; n < DRAWS; n++) {
    const [{ at }] = link.cross(SIZE, n);
    if (at > n) {
      assert(at - n <= 20, `${at - n} ms`);
      heldBack++;
    } else {
      assert(at >= last);
      last = at;
    }
  }
  assert(heldBack > 0 && heldBack < DRAWS);
});

Deno.test("bandwidth spaces datagrams by exactly their bits and their headers' bits", () => {
  const below = random(1);
  const link = new Link(1, { bandwidth: 8000, queue: Infinity });
  let free = 0;
  for (let n = 0; n < 1000; n++) {
    const size = below(1500);
    free += size + HEADERS; // 8,000 bit/s: a byte a millisecond.
    const [{ at }] = link.cross(size, 0);
    assert(Math.abs(at - free) < 1e-6, `${at}, not ${free}`);
  }
});

Deno.test("an idle line sends a datagram at once", () => {
  const link = new Link(1, { bandwidth: 8000 });
  assertEquals(link.cross(SIZE, 0)[0].at, 128);
  assertEquals(link.cross(SIZE, 5000)[0].at, 5128);
  assertEquals(link.cross(SIZE, 5100)[0].at, 5256);
});

Deno.test("a delay is added to the time that the bandwidth takes", () => {
  const delayMs = { min: 50, max: 50 };
  const link = new Link(1, { bandwidth: 8000, delayMs });
  assertEquals(link.cross(SIZE, 0)[0].at, 178);
});

Deno.test("a lost datagram takes bandwidth, one over the MTU does not", () => {
  const lossy = new Link(1, { bandwidth: 8000, loss: 1 });
  lossy.cross(SIZE, 0);
  lossy.set({ loss: 0 });
  assertEquals(lossy.cross(SIZE, 0)[0].at, 256);
  const narrow = new Link(1, { bandwidth: 8000, mtu: SIZE });
  assertEquals(narrow.cross(SIZE + 1, 0)[0].fate, "overMtu");
  assertEquals(narrow.cross(SIZE, 0)[0].at, 128);
});

for (const [queue, room] of [[1, 1], [10, 10], [undefined, 1024]] as const) {
  Deno.test(`a queue of ${queue ?? "the default"} holds ${room}, drops more, and empties with time`, () => {
    const link = new Link(1, { bandwidth: 8000, queue });
    const fates = () => link.cross(SIZE, 0)[0].fate;
    for (let n = 0; n < room; n++) assertEquals(fates(), "passed");
    for (let n = 0; n < 10; n++) assertEquals(fates(), "queueFull");
    // The first has gone when its 128 bytes have.
    assertEquals(link.cross(SIZE, 127)[0].fate, "queueFull");
    assertEquals(link.cross(SIZE, 128)[0].fate, "passed");
    assertEquals(link.cross(SIZE, 128)[0].fate, "queueFull");
    assertEquals(link.cross(SIZE, 1e9)[0].at, 1e9 + 128);
  });
}

Deno.test("without bandwidth nothing queues", () => {
  const link = new Link(1, { queue: 1 });
  for (let n = 0; n < 100; n++) {
    assertEquals(link.cross(SIZE, 0)[0].fate, "passed");
  }
});

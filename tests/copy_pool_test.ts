import { assert, assertEquals } from "@std/assert";
import { CopyPool } from "../lib/copy_pool.ts";
import { fakeBound } from "./support/fakes.ts";
import { pattern, random, SOON } from "./support/helpers.ts";

const KIB = 1024;

Deno.test("a copy has the bytes, but not the memory, of the original", () => {
  const pool = new CopyPool();
  for (const size of [0, 1, 2 * KIB, 2 * KIB + 1, 65_527]) {
    const bytes = pattern(size);
    const copy = pool.copy(bytes);
    bytes.fill(0);
    assertEquals(copy, pattern(size));
  }
});

Deno.test("a copy of a part has only that part", () => {
  const pool = new CopyPool();
  assertEquals(
    pool.copy(pattern(100).subarray(10, 20)),
    pattern(100).slice(10, 20),
  );
});

Deno.test("a copy keeps at most 8 KiB beyond its own bytes alive", () => {
  const pool = new CopyPool();
  for (let size = 0; size <= 10 * KIB; size++) {
    const { buffer, length } = pool.copy(new Uint8Array(size));
    assertEquals(length, size);
    assert(buffer.byteLength - length <= 8 * KIB, `${size} bytes`);
  }
});

Deno.test("small copies share their memory", () => {
  const pool = new CopyPool();
  const buffers = new Set(
    Array.from({ length: 1000 }, () => pool.copy(pattern(100)).buffer),
  );
  assert(buffers.size < 20, `${buffers.size} buffers`);
});

Deno.test("copies never overlap", () => {
  const below = random(1);
  const pool = new CopyPool();
  const sizes = Array.from(
    { length: 2000 },
    () => below(below(2) ? 40 : 4 * KIB),
  );
  const copies = sizes.map((size) => pool.copy(pattern(size)));
  assertEquals(copies, sizes.map(pattern));
  for (const [i, copy] of copies.entries()) {
    copy.fill(i);
  }
  for (const [i, copy] of copies.entries()) {
    assert(copy.every((byte) => byte === (i & 0xff)), `copy ${i}`);
  }
});

Deno.test("a copy is aligned for any typed array", () => {
  const pool = new CopyPool();
  for (let size = 0; size < 100; size++) {
    assertEquals(pool.copy(new Uint8Array(size)).byteOffset % 8, 0);
  }
});

Deno.test("a kept datagram keeps no more than 8 KiB beyond its own bytes alive", async () => {
  const { carrier, socket } = fakeBound();
  for (const size of [0, 1, 100, 1_472, 2_048, 2_049, 9_000, 65_507]) {
    carrier.deliver(pattern(size));
    const { data } = await socket.receive(SOON);
    assertEquals(data, pattern(size));
    assert(data.buffer.byteLength - size <= 8 * KIB, `${size} bytes`);
  }
  socket.close();
});

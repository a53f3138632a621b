import { assert, assertEquals } from "@std/assert";
import { ByteReader } from "../lib/carriers/quic/byte_reader.ts";
import { pattern } from "./support/helpers.ts";

const KIB = 1024;

/** A stream of bytes, such as Deno's, that gives at most so many at a time. */
function reader(
  bytes: Uint8Array,
  most: number,
  onRead: (asked: number) => void = () => {},
  readSize?: number,
): ByteReader {
  let at = 0;
  const stream = new ReadableStream(
    {
      type: "bytes",
      pull({ byobRequest }) {
        const view = byobRequest!.view as Uint8Array;
        onRead(view.length);
        const piece = bytes.subarray(at, at + Math.min(most, view.length));
        at += piece.length;
        view.set(piece);
        if (piece.length === 0) this.end!();
        byobRequest!.respond(piece.length);
      },
      start(controller) {
        this.end = () => controller.close();
      },
    } as UnderlyingByteSource & { end?: () => void },
  );
  return new ByteReader(stream, readSize);
}

for (const most of [1, 7, 1000, 1_000_000]) {
  Deno.test(`bytes are read as they were written, ${most} at a time`, async () => {
    const bytes = pattern(100_000);
    const stream = reader(bytes, most);
    let at = 0;
    for (const size of [0, 1, 4, 2000, 16_384, 3, 0, 9000]) {
      assertEquals(await stream.take(size), bytes.slice(at, at += size));
      while (stream.has(100) && at < 40_000) {
        assertEquals(stream.cut(100), bytes.slice(at, at += 100));
      }
    }
    assertEquals(await stream.take(bytes.length - at + 1), undefined);
  });
}

Deno.test("a read asks for at most 16 KiB: then others have their turn", async () => {
  const asked: number[] = [];
  const bytes = pattern(1024 * KIB);
  const stream = reader(bytes, Infinity, (size) => asked.push(size));
  assertEquals(await stream.take(bytes.length), bytes);
  assert(asked.every((size) => size <= 16 * KIB), `${asked}`);
  assert(asked.length <= 64, `${asked.length} reads`);
});

Deno.test("a reader of short pieces asks for no more than it was made for", async () => {
  const asked: number[] = [];
  const bytes = pattern(10 * KIB);
  const stream = reader(bytes, Infinity, (size) => asked.push(size), 512);
  for (let at = 0; at < bytes.length; at += 100) {
    assertEquals(
      await stream.take(Math.min(100, bytes.length - at)),
      bytes.slice(at, at + 100),
    );
  }
  assert(asked.every((size) => size === 512), `${asked}`);
});

Deno.test("readers that take turns do not change what others have read", async () => {
  const bytes = pattern(3 * KIB);
  const readers = [1, 2, 3].map(() => reader(bytes, 7));
  const taken: Uint8Array[][] = readers.map(() => []);
  for (let at = 0; at < bytes.length; at += KIB) {
    for (const [n, stream] of readers.entries()) {
      taken[n]!.push((await stream.take(KIB))!);
    }
  }
  for (const pieces of taken) {
    pieces.forEach((piece, n) =>
      assertEquals(piece, bytes.slice(n * KIB, (n + 1) * KIB))
    );
  }
});

Deno.test("the event loop turns after each read that a peer has filled", async () => {
  let turns = 0;
  let isOver = false;
  const count = () => void (isOver || (turns++, setImmediate(count)));
  count();
  const bytes = pattern(1024 * KIB);
  await reader(bytes, Infinity).take(bytes.length);
  isOver = true;
  assert(turns >= 60, `${turns} turns in 64 reads`);
});

Deno.test("what is read stays as it is when more is read", async () => {
  const bytes = pattern(200 * KIB);
  const stream = reader(bytes, Infinity);
  const taken: Uint8Array[] = [];
  for (let n = 0; n < 200; n++) taken.push((await stream.take(KIB))!);
  taken.forEach((piece, n) => {
    assertEquals(piece, bytes.slice(n * KIB, (n + 1) * KIB));
    assert(piece.buffer.byteLength <= 16 * KIB, "it keeps much more alive");
  });
});

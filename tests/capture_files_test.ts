/** Capture files of both formats: what is in them, and how they are broken. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { CaptureError, readCapture } from "../lib/capture.ts";
import {
  Blocks,
  cat,
  frame,
  type Order,
  pcap,
  read,
} from "./support/captures.ts";

const ORDERS: readonly Order[] = ["little", "big"];

for (const order of ORDERS) {
  for (
    const [magic, unit] of [[0xa1b2c3d4, 1000n], [0xa1b23c4d, 1n]] as const
  ) {
    Deno.test(`pcap is read: ${order} endian, units of ${unit} ns`, async () => {
      const time: [number, number] = [1_700_000_000, 999_999];
      const file = pcap([frame("a"), frame("")], { order, magic, time });
      const { datagrams, texts, error } = await read(file);
      assertEquals([texts, error], [["a", ""], undefined]);
      assertEquals(datagrams[0], {
        time: 1_700_000_000_000_000_000n + 999_999n * unit,
        from: { transport: "udp", hostname: "10.0.0.1", port: 1000 },
        to: { transport: "udp", hostname: "10.0.0.2", port: 2000 },
        data: new Uint8Array([97]),
        packet: 1,
        comments: [],
      });
    });
  }

  Deno.test(`pcapng is read: ${order} endian, with blocks of every kind`, async () => {
    const b = new Blocks(order);
    const comments = ["first", "second: é"].map((text) =>
      b.option(1, new TextEncoder().encode(text))
    );
    const file = cat(
      b.section(),
      b.interface(),
      b.block(5, Array(8).fill(0)),
      b.enhanced(frame("enhanced"), { stamp: 7_000_001, options: comments }),
      b.block(0x0bad, "whatever it is!".split("").map((c) => c.charCodeAt(0))),
      b.simple(frame("simple")),
      b.obsolete(frame("obsolete"), { stamp: 8 }),
    );
    const { datagrams, texts, error } = await read(file);
    assertEquals([texts, error], [
      ["enhanced", "simple", "obsolete"],
      undefined,
    ]);
    assertEquals(datagrams.map(({ time }) => time), [
      7_000_001_000n,
      undefined,
      8000n,
    ]);
    assertEquals(datagrams.map(({ packet }) => packet), [1, 2, 3]);
    assertEquals(datagrams[0]?.comments, ["first", "second: é"]);
  });
}

Deno.test("pcapng: each section has its own byte order and interfaces", async () => {
  const [little, big] = [new Blocks("little"), new Blocks("big")];
  const file = cat(
    little.section(),
    little.interface(),
    little.enhanced(frame("1"), { stamp: 1 }),
    big.section(),
    big.interface(147),
    big.interface(1, { options: [big.option(9, [9])] }),
    big.enhanced(frame("2"), { on: 1, stamp: 2 }),
    big.enhanced(frame("not read"), { on: 0 }),
  );
  const { datagrams, texts, stats, error } = await read(file);
  assertEquals([texts, error], [["1", "2"], undefined]);
  assertEquals(datagrams.map(({ time }) => time), [1000n, 2n]);
  assertEquals(stats.others, { "link type 147": 1 });
});

for (
  const [what, options, stamp, time] of [
    ["none: microseconds", {}, 3, 3000n],
    ["seconds", { 9: [0] }, 3, 3_000_000_000n],
    ["milliseconds", { 9: [3] }, 3, 3_000_000n],
    ["nanoseconds", { 9: [9] }, 3, 3n],
    ["picoseconds", { 9: [12] }, 3999, 3n],
    ["10^-127 seconds", { 9: [127] }, 3, 0n],
    ["halves", { 9: [0x81] }, 3, 1_500_000_000n],
    ["2^-32 seconds", { 9: [0xa0] }, 2 ** 32 + 2 ** 31, 1_500_000_000n],
    ["2^-127 seconds", { 9: [0xff] }, 3, 0n],
    ["an offset", { 14: [100, 0, 0, 0, 0, 0, 0, 0] }, 3, 100_000_003_000n],
    ["a negative offset", { 14: Array(8).fill(255) }, 3, -999_997_000n],
    ["an option of a wrong length", { 9: [9, 9] }, 3, 3000n],
  ] as [string, Record<number, number[]>, number, bigint][]
) {
  Deno.test(`pcapng: the unit of time is followed: ${what}`, async () => {
    const b = new Blocks();
    const all = Object.entries(options).map(([code, value]) =>
      b.option(Number(code), value)
    );
    const file = cat(
      b.section(),
      b.interface(1, { options: all }),
      b.enhanced(frame("x"), { stamp }),
    );
    const { datagrams, error } = await read(file);
    assertEquals([datagrams[0]?.time, error], [time, undefined]);
  });
}

Deno.test("pcapng: a simple packet has the snap length of its interface", async () => {
  const b = new Blocks();
  const all = frame("long enough");
  const file = cat(
    b.section(),
    b.interface(1, { snap: 45 }),
    b.simple(all.slice(0, 45), all.length),
  );
  const { stats, error } = await read(file);
  assertEquals([stats.cut, stats.datagrams, error], [1, 0, undefined]);
});

const b = new Blocks();
const start = cat(b.section(), b.interface());
const whole = b.enhanced(frame("x"));

/** A file whose last block is whole except for what is changed in it. */
function changed(at: number, value: number): Uint8Array {
  const block = whole.slice();
  block.set(b.n(4, value), at < 0 ? block.length + at : at);
  return cat(start, whole, block);
}

for (
  const [what, file, packet, says] of [
    ["is empty", cat(), 0, "it is empty"],
    ["is too short", cat("abc"), 0, "it is too short to be one"],
    [
      "is a text",
      cat("hello"),
      0,
      "neither pcap nor pcapng: it begins with 0x68656c6c",
    ],
    ["is compressed", cat([0x1f, 0x8b, 8, 0]), 0, "compressed by gzip"],
    [
      "ends in its header",
      pcap([]).slice(0, 23),
      1,
      "the file ends in the middle of the file's header",
    ],
    ["is of another version", pcap([]).fill(9, 4, 5), 1, "pcap of version 9.4"],
    [
      "ends in a packet's header",
      cat(pcap([frame("x")]), [1]),
      2,
      "the file ends in the middle of its header",
    ],
    [
      "ends in a packet",
      pcap([frame("x"), frame("y")]).slice(0, -1),
      2,
      "the file ends in the middle of it",
    ],
    [
      "has a packet of 4 GiB",
      cat(pcap([]), Array(16).fill(255)),
      1,
      "it claims 4294967295 bytes, and must have at most 262144",
    ],
    [
      "ends in a block's header",
      cat(start, whole, whole.slice(0, 9)),
      2,
      "the file ends in the middle of a block",
    ],
    [
      "ends in a block",
      cat(start, whole, whole.slice(0, -4)),
      2,
      "the file ends in the middle of a block",
    ],
    [
      "ends in a block that is skipped",
      cat(start, b.block(9, Array(64)).slice(0, -5)),
      1,
      "the file ends in the middle of a block",
    ],
    [
      "has a block of 4 GiB that it has not",
      cat(start, b.n(4, 9), b.n(4, 2 ** 32 - 4), Array(99)),
      1,
      "the file ends in the middle of a block",
    ],
    [
      "has a block of no length",
      changed(4, 0),
      2,
      "a block claims 0 bytes, and must have a multiple of 4 from 12",
    ],
    [
      "has a block of an odd length",
      changed(4, 75),
      2,
      "a block claims 75 bytes",
    ],
    [
      "has a block that is too short",
      changed(4, 28),
      2,
      "a block claims 28 bytes, and must have 32 to 16777216",
    ],
    [
      "has a block that is too long",
      changed(4, 2 ** 24 + 4),
      2,
      "a block claims 16777220 bytes",
    ],
    [
      "has two lengths of a block",
      changed(-4, 80),
      2,
      "bytes at its start and 80 at its end",
    ],
    [
      "has a packet longer than its block",
      changed(20, 999),
      2,
      "it claims 999 bytes, and can have at most",
    ],
    [
      "has a packet of no interface",
      changed(8, 1),
      2,
      "its interface 1 is not described",
    ],
    [
      "has a section of no order",
      b.section().fill(1, 8, 12),
      1,
      "a section has no byte order",
    ],
    [
      "is pcapng of another version",
      b.section().fill(9, 12, 13),
      1,
      "pcapng of version 9.0, and only 1",
    ],
    [
      "has an option longer than its block",
      cat(start, b.enhanced(frame("x"), { options: [b.n(2, 1), b.n(2, 99)] })),
      1,
      "an option is longer than its block",
    ],
  ] as [string, Uint8Array, number, string][]
) {
  Deno.test(`a file that ${what} is said to be, with what was read before`, async () => {
    const { datagrams, stats, error } = await read(file);
    assertInstanceOf(error, CaptureError);
    assert(error.message.includes(says), error.message);
    assert(!error.message.includes("\n"));
    assertEquals([error.packet, error.stats], [packet, stats]);
    assertEquals(datagrams.length, Math.max(0, packet - 1));
    if (packet > 0) {
      assert(
        error.message.startsWith(
          `Cannot read a capture: packet ${packet}, at byte ${error.offset}: `,
        ),
        error.message,
      );
    }
  });
}

Deno.test("the file may come in chunks of any size, also empty ones", async () => {
  const file = cat(
    start,
    ...Array(9).fill(whole),
    b.block(9, Array(70)),
    whole,
  );
  for (const size of [1, 3, 64, 1000]) {
    const chunks = Array.from(
      { length: Math.ceil(file.length / size) },
      (_, i) => file.subarray(i * size, (i + 1) * size),
    );
    const empty = new Uint8Array();
    const { texts } = await read(chunks.flatMap((chunk) => [empty, chunk]));
    assertEquals(texts, Array(10).fill("x"));
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    assertEquals((await read(stream)).texts.length, 10);
  }
});

Deno.test("ending the loop early ends the input", async () => {
  let isEnded = false;
  async function* chunks() {
    try {
      yield cat(start, whole);
      for (;;) yield await Promise.resolve(whole);
    } finally {
      isEnded = true;
    }
  }
  for await (const { packet } of readCapture(chunks())) {
    if (packet === 3) break;
  }
  assertEquals(isEnded, true);
});

Deno.test("what the input throws is passed on, and datagrams before it are returned", async () => {
  const own = new Error("own");
  function* chunks() {
    yield cat(start, whole, whole.slice(0, 20));
    throw own;
  }
  const { texts, error } = await read(chunks());
  assertEquals([texts, error], [["x"], own]);
});

Deno.test("a capture is read once, and only from bytes", async () => {
  const capture = readCapture(cat(start, whole));
  for await (const { packet } of capture) assertEquals(packet, 1);
  try {
    capture[Symbol.asyncIterator]();
    throw new Error("no error");
  } catch (error) {
    assertEquals(
      (error as Error).message,
      "Cannot read a capture: it is read already, and can be read once",
    );
  }
  for (const input of [undefined, null, 7, {}, () => {}]) {
    try {
      readCapture(input as unknown as Uint8Array);
      throw new Error("no error");
    } catch (error) {
      assertInstanceOf(error, TypeError);
      assert(
        error.message.startsWith("Cannot read a capture: input must be bytes"),
        error.message,
      );
    }
  }
  for (const input of ["text", [7], [[1]], [undefined]]) {
    const { error } = await read(input as unknown as Uint8Array[]);
    assertInstanceOf(error, TypeError);
    assert(
      error.message.includes("each chunk must be a Uint8Array"),
      error.message,
    );
  }
});

Deno.test("the data of a datagram is a copy of the file's", async () => {
  const file = cat(start, whole);
  const { datagrams } = await read(file);
  file.fill(0);
  assertEquals(datagrams[0]?.data, cat("x"));
});

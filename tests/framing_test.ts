import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type FramingName, FRAMINGS } from "../lib/carriers/tcp/framing.ts";
import { bytesOf } from "./support/helpers.ts";
import { type Found, messagesIn } from "./support/framings.ts";

type Framing = typeof FRAMINGS.line;

const NAMES = Object.keys(FRAMINGS) as FramingName[];
/** The byte that a message must not hold. */
const FORBIDDEN: Partial<Record<FramingName, number>> = { line: 0x0a, nul: 0 };

/** What comes of the bytes, in pieces, for a receiver with so much room. */
function decode(
  framing: Framing,
  pieces: Iterable<Uint8Array>,
  room = 100,
): Found & { skips: boolean } {
  const decoder = framing.decoder();
  const into = new Uint8Array(room);
  const messages: Uint8Array[] = [];
  for (const piece of pieces) {
    // As where a buffer is used again.
    const buffer = piece.slice();
    decoder.add(buffer);
    for (let size; (size = decoder.next(into)) !== undefined;) {
      messages.push(into.slice(0, size));
    }
    buffer.fill(0xee);
  }
  const size = decoder.end(into);
  if (size !== undefined) messages.push(into.slice(0, size));
  const { partial, malformed, skips } = decoder;
  return { messages, partial, malformed, skips };
}

function texts(framing: Framing, pieces: string[], room?: number): string[] {
  return decode(framing, pieces.map(bytesOf), room).messages
    .map((bytes) => new TextDecoder().decode(bytes));
}

/** Messages that a framing can carry. */
function carriable(name: FramingName, maxLength: number) {
  const byte = fc.integer({ min: 0, max: 255 });
  const special = fc.constantFrom(0x00, 0x0a, 0x0d, 0x20, 0x30, 0x39);
  return fc.array(
    fc.oneof(byte, special).filter((byte) => byte !== FORBIDDEN[name]),
    { maxLength },
  ).map((bytes) => Uint8Array.from(bytes));
}

/** Cuts bytes into pieces of these sizes, again and again. */
function cut(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + sizes[i % sizes.length]!;
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

const SIZES = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });

for (const name of NAMES) {
  const framing = FRAMINGS[name];

  Deno.test(`${name}: messages survive any chunking, and are truncated if too long`, () => {
    fc.assert(fc.property(
      fc.array(carriable(name, 40), { maxLength: 8 }),
      SIZES,
      fc.integer({ min: 1, max: 50 }),
      (messages, sizes, room) => {
        const stream = Uint8Array.from(
          messages.flatMap((message) => [...framing.encode(message)]),
        );
        assertEquals(
          decode(framing, cut(stream, sizes), room),
          {
            messages: messages.map((message) => message.subarray(0, room)),
            partial: false,
            malformed: false,
            skips: false,
          },
        );
      },
    ));
  });

  Deno.test(`${name}: each message is either decoded or skipped, wherever skipping begins`, () => {
    fc.assert(fc.property(
      fc.array(carriable(name, 30), { maxLength: 8 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 10 }),
      fc.nat(8),
      (messages, size, room, before) => {
        const stream = Uint8Array.from(
          messages.flatMap((message) => [...framing.encode(message)]),
        );
        const decoder = framing.decoder();
        const into = new Uint8Array(room);
        let decoded = 0;
        let skipped = 0;
        for (const piece of cut(stream, [size])) {
          decoder.add(piece);
          while (
            decoded < before && decoder.next(into) !== undefined
          ) decoded++;
          if (decoded === before) skipped += decoder.skip();
        }
        assertEquals(decoded + skipped, messages.length);
      },
    ));
  });

  Deno.test(`${name}: of any bytes in any pieces come the messages that are in them`, () => {
    const bytes = fc.array(
      fc.oneof(
        fc.constantFrom("0 ", "3 abc", "12 ", "\n", "\r\n", "\0", " ", "+7 ")
          .map((text) => [...bytesOf(text)]),
        fc.constantFrom([0, 3], [0, 0], [1, 0], [0x37], [0x30, 0x35, 0x20]),
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 9 }),
      ),
      { maxLength: 30 },
    ).map((parts) => Uint8Array.from(parts.flat()));
    fc.assert(
      fc.property(
        fc.tuple(fc.array(carriable(name, 5), { maxLength: 3 }), bytes),
        SIZES,
        ([before, junk], sizes) => {
          const stream = Uint8Array.from([
            ...before.flatMap((message) => [...framing.encode(message)]),
            ...junk,
          ]);
          const { skips, ...found } = decode(framing, cut(stream, sizes), 9999);
          assertEquals(skips, false);
          assertEquals(found, messagesIn(stream, name));
        },
      ),
      { numRuns: 500 },
    );
  });
}

Deno.test("a line ends with LF, CRLF or the connection; an empty one is a message", () => {
  const { line } = FRAMINGS;
  assertEquals(texts(line, ["a\nb\r\n\n\r\nlast"]), ["a", "b", "", "", "last"]);
  assertEquals(texts(line, ["a\r", "\nb\rc\n"]), ["a", "b\rc"]);
  assertEquals(texts(line, ["a\n"]), ["a"]);
  assertEquals(texts(line, []), []);
});

Deno.test("nul: a message ends with NUL or the connection, and keeps its line breaks", () => {
  const { nul } = FRAMINGS;
  assertEquals(texts(nul, ["a\0b\r\n\0\0la", "st\r"]), [
    "a",
    "b\r\n",
    "",
    "last\r",
  ]);
  assertEquals(texts(nul, ["a\0"]), ["a"]);
});

Deno.test("octet: a message follows its length and a space, and holds any byte", () => {
  const { octet } = FRAMINGS;
  assertEquals(texts(octet, ["5 he", "llo0 1", "0 0123456789", "2 \n "]), [
    "hello",
    "",
    "0123456789",
    "\n ",
  ]);
  assertEquals(octet.encode(bytesOf("12 3")), bytesOf("4 12 3"));
  assertEquals(octet.encode(new Uint8Array()), bytesOf("0 "));
});

for (
  const [name, begin, rest] of [
    ["line", "abcd\r", "\n"],
    ["nul", "abcde", "\0"],
    ["octet", "1000006 abcd", ""],
  ] as [FramingName, string, string][]
) {
  Deno.test(`${name}: a message that is too long is delivered once, at once; its rest is skipped`, () => {
    const framing = FRAMINGS[name];
    const decoder = framing.decoder();
    const into = new Uint8Array(4);
    decoder.add(bytesOf(begin));
    assertEquals(decoder.next(into), 4);
    assertEquals([decoder.partial, decoder.skips], [true, true]);
    for (let n = 0; n < 1000; n++) {
      decoder.add(bytesOf("x".repeat(1000)));
      assertEquals(decoder.next(into), undefined);
    }
    const next = framing.encode(bytesOf("next"));
    decoder.add(Uint8Array.from([...bytesOf("yz" + rest), ...next]));
    assertEquals(decoder.next(into), 4);
    assertEquals(new TextDecoder().decode(into), "next");
    assertEquals([decoder.next(into), decoder.partial], [undefined, false]);
  });
}

for (
  const [name, message, reason] of [
    ["line", "ab\nc", "has a newline at byte 2"],
    ["nul", "abc\0", "has one at byte 3"],
  ] as const
) {
  Deno.test(`${name}: a message that cannot be carried is rejected, and the error says why`, () => {
    assertThrows(
      () => FRAMINGS[name].encode(bytesOf(message)),
      TypeError,
      reason,
    );
  });
}

Deno.test("an incomplete message is not delivered", () => {
  const { length } = FRAMINGS;
  assertEquals(texts(length, ["\0\x03abc\0\0\0\x05ab"]), ["abc", ""]);
  const decoder = length.decoder();
  decoder.add(new Uint8Array([0]));
  assertEquals(decoder.next(new Uint8Array(4)), undefined);
  assertEquals(decoder.partial, true);
});

for (
  const head of [
    ...[
      "05 ",
      "00 ",
      "+5 ",
      "-5 ",
      " 5 ",
      "5\t",
      "5\n",
      "0x5 ",
      "1e3 ",
      "5.0 ",
    ],
    ...["\u0665 ", "\n", "\0", "67108865 ", "9".repeat(1000), "GET / HTTP/1.1"],
  ]
) {
  Deno.test(`octet: ${JSON.stringify(head.slice(0, 20))} is no length, and nothing follows it`, () => {
    for (const sizes of [[1], [1000]]) {
      const bytes = bytesOf(`2 ok${head}5 after`);
      const found = decode(FRAMINGS.octet, cut(bytes, sizes));
      assertEquals(found, {
        messages: [bytesOf("ok")],
        partial: true,
        malformed: true,
        skips: false,
      });
    }
  });
}

Deno.test("octet: 64 MiB are the longest message, of which no byte is kept in advance", () => {
  const decoder = FRAMINGS.octet.decoder();
  decoder.add(bytesOf("67108864 x"));
  assertEquals(decoder.next(new Uint8Array(100)), undefined);
  const { partial, malformed } = decoder;
  assertEquals([partial, malformed], [true, false]);
});

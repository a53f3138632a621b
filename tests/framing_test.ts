import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FRAMINGS } from "../lib/carriers/tcp/framing.ts";
import { bytesOf } from "./support/helpers.ts";

type Framing = typeof FRAMINGS.line;

/** What comes of the bytes, in pieces, for a receiver with so much room. */
function decode(
  framing: Framing,
  pieces: Iterable<Uint8Array>,
  room = 100,
): Uint8Array[] {
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
  return messages;
}

function texts(framing: Framing, pieces: string[], room?: number): string[] {
  return decode(framing, pieces.map(bytesOf), room)
    .map((bytes) => new TextDecoder().decode(bytes));
}

for (const [name, framing] of Object.entries(FRAMINGS)) {
  Deno.test(`${name}: messages survive any chunking, and are truncated if too long`, () => {
    const byte = name === "line"
      ? fc.integer({ min: 0, max: 255 }).filter((byte) => byte !== 0x0a)
      : fc.integer({ min: 0, max: 255 });
    const message = fc.array(fc.oneof(byte, fc.constant(0x0d)), {
      maxLength: 40,
    }).map((bytes) => Uint8Array.from(bytes));
    fc.assert(fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 50 }),
      (messages, cuts, room) => {
        const stream = Uint8Array.from(
          messages.flatMap((message) => [...framing.encode(message)]),
        );
        const pieces = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length];
          pieces.push(stream.subarray(at, at + size!));
          at += size!;
        }
        assertEquals(
          decode(framing, pieces, room),
          messages.map((message) => message.subarray(0, room)),
        );
      },
    ));
  });
}

for (const [name, framing] of Object.entries(FRAMINGS)) {
  Deno.test(`${name}: each message is either decoded or skipped, wherever skipping begins`, () => {
    const message = fc.uint8Array({ max: 9, maxLength: 30 });
    fc.assert(fc.property(
      fc.array(message, { maxLength: 8 }),
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
        for (let at = 0; at < stream.length; at += size) {
          decoder.add(stream.subarray(at, at + size));
          while (
            decoded < before && decoder.next(into) !== undefined
          ) decoded++;
          if (decoded === before) skipped += decoder.skip();
        }
        assertEquals(decoded + skipped, messages.length);
      },
    ));
  });
}

Deno.test("a line ends with LF, CRLF or the connection; an empty one is a message", () => {
  const { line } = FRAMINGS;
  assertEquals(texts(line, ["a\nb\r\n\n\r\nlast"]), ["a", "b", "", "", "last"]);
  assertEquals(texts(line, ["a\r", "\nb\rc\n"]), ["a", "b\rc"]);
  assertEquals(texts(line, ["a\n"]), ["a"]);
  assertEquals(texts(line, []), []);
});

Deno.test("a line that is too long is delivered once, at once; its rest is skipped", () => {
  const { line } = FRAMINGS;
  const decoder = line.decoder();
  const into = new Uint8Array(4);
  decoder.add(bytesOf("abcd\r"));
  assertEquals(decoder.next(into), 4);
  assertEquals(decoder.partial, true);
  for (let n = 0; n < 1000; n++) {
    decoder.add(bytesOf("x".repeat(1000)));
    assertEquals(decoder.next(into), undefined);
  }
  decoder.add(bytesOf("y\nnext\r\n"));
  assertEquals(decoder.next(into), 4);
  assertEquals(new TextDecoder().decode(into), "next");
  assertEquals([decoder.next(into), decoder.partial], [undefined, false]);
});

Deno.test("a message with a newline is rejected, and the error says where it is", () => {
  assertThrows(
    () => FRAMINGS.line.encode(bytesOf("ab\nc")),
    TypeError,
    "has a newline at byte 2",
  );
});

Deno.test("an incomplete message is not delivered", () => {
  const { length } = FRAMINGS;
  assertEquals(texts(length, ["\0\x03abc\0\0\0\x05ab"]), ["abc", ""]);
  const decoder = length.decoder();
  decoder.add(new Uint8Array([0]));
  assertEquals(decoder.next(new Uint8Array(4)), undefined);
  assertEquals(decoder.partial, true);
});

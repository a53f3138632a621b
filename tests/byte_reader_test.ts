import { assertEquals } from "@std/assert";
import { ByteReader } from "../lib/carriers/quic/byte_reader.ts";
import { pattern } from "./support/helpers.ts";

function reader(bytes: Uint8Array, chunk: number): ByteReader {
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += chunk));
    },
  });
  return new ByteReader(stream);
}

for (const chunk of [1, 7, 1000, 100_000, 1_000_000]) {
  Deno.test(`bytes are read as they were written, in chunks of ${chunk}`, async () => {
    const bytes = pattern(30_000);
    const stream = reader(bytes, chunk);
    let at = 0;
    for (const size of [0, 1, 4, 2000, 16_384, 3, 0, 9000]) {
      assertEquals(await stream.take(size), bytes.slice(at, at += size));
    }
    assertEquals(await stream.take(bytes.length - at + 1), undefined);
  });
}

import { assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { reflect } from "../lib/measure.ts";
import { quic } from "../lib/carriers/quic.ts";
import { decodeAnswer, encodeQuestion } from "../lib/measure/stamp.ts";
import { SOON, until } from "./support/helpers.ts";
import { cert, key, quicClient } from "./support/quics.ts";

Deno.test("a reflector answers over QUIC, and says what did not fit", async () => {
  await using reflector = reflect("quic://127.0.0.1:0", {
    carrier: quic({ cert, key, reliable: true }),
  });
  const carrier = quicClient({ reliable: true });
  await using client = await connect(reflector.addr, { carrier });
  for (const [number, size] of [44, 1000, 9000].entries()) {
    await client.send(encodeQuestion({ number, size }));
    const { data } = await client.receive(SOON);
    const answer = decodeAnswer(data);
    assertEquals([data.length, answer?.number, answer?.question.number], [
      size,
      number,
      number,
    ]);
  }
  await client.send(encodeQuestion({ size: 9001 }));
  await until(() => reflector.stats.received === 4);
  await client.send(encodeQuestion({ asksForCounts: true }));
  const { counts } = decodeAnswer((await client.receive(SOON)).data)!;
  assertEquals([counts?.received, counts?.answered, counts?.limited], [
    4,
    3,
    1,
  ]);
  assertEquals(counts?.dropped, undefined);
});

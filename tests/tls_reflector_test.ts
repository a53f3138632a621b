import { assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { tls } from "../lib/carriers/tls.ts";
import { reflect } from "../lib/measure.ts";
import { decodeAnswer, encodeQuestion } from "../lib/measure/stamp.ts";
import { certificate } from "./support/certificates.ts";
import { SOON } from "./support/helpers.ts";

Deno.test("a reflector answers over TLS", async () => {
  const { cert, key } = await certificate();
  const framing = "length";
  await using reflector = reflect("tls://127.0.0.1:0", {
    carrier: tls({ cert, key, framing }),
  });
  await using client = await connect(reflector.addr, {
    carrier: tls({ caCerts: [cert], framing }),
  });
  await client.send(encodeQuestion({ number: 3, size: 1000 }));
  const { data } = await client.receive(SOON);
  assertEquals([data.length, decodeAnswer(data)?.question.number], [1000, 3]);
});

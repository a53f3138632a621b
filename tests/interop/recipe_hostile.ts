/** The recipes against peers that lie: nothing crashes them, or makes them hang. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decode as decodeDns } from "../../examples/protocols/dns_decode.ts";
import { encode as encodeDns } from "../../examples/protocols/dns_encode.ts";
import { flows } from "../../examples/protocols/netflow_decode.ts";
import { decode as decodeOsc } from "../../examples/protocols/osc_decode.ts";
import { encode as encodeOsc } from "../../examples/protocols/osc.ts";
import { Metrics } from "../../examples/protocols/statsd.ts";
import { attributes, mapped } from "../../examples/protocols/stun.ts";
import { shown } from "../../examples/protocols/syslog.ts";
import { escapeControls } from "../../mod.ts";

const LONGEST = 65_507;
const utf8 = new TextEncoder();

const QUERY = {
  id: 7,
  flags: 0x8180,
  questions: [{ name: "a.example.", type: 1, class: 1 }],
  answers: [
    ...[1, 5, 15, 16, 28, 33].map((type) => ({
      ...{ name: "a.example.", type, class: 1, ttl: 60 },
      data: new Uint8Array(16).fill(0xc0),
    })),
  ],
};
const OSC = { path: "/a", types: "isfTb", values: ["1", "text", "0.5"] };

/** A version 9 export with a template of two fields, and a flow. */
const NETFLOW = Uint8Array.fromHex(
  "0009" + "0002" + "00000000".repeat(4) +
    "0000" + "0010" + "0100" + "0002" + "00080004" + "00010004" +
    "0100" + "000c" + "c0000201" + "00000064",
);

/** Bytes that are random, or a message of which some bytes are. */
function hostile(message: Uint8Array): fc.Arbitrary<Uint8Array> {
  const byte = fc.integer({ min: 0, max: 255 });
  const edges = fc.constantFrom(0, 1, 3, 4, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff);
  const changes = fc.array(
    fc.tuple(fc.nat(message.length - 1), fc.oneof(byte, edges)),
    { maxLength: 8 },
  );
  const mutated = fc.tuple(changes, fc.nat(message.length)).map(
    ([changed, cut]) => {
      const bytes = message.slice();
      for (const [at, value] of changed) bytes[at] = value;
      return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes;
    },
  );
  return fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated);
}

/** Whether it returns, or says that the message is malformed. */
function holds(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Not of a call too deep, or of a length that is none.
    assert(!/call stack|Invalid/.test(error.message), error.message);
  }
}

Deno.test("dns_decode.ts holds whatever a message is", () => {
  const message = encodeDns(QUERY);
  const property = fc.property(hostile(message), (bytes) => {
    const read = decodeDns(bytes);
    assert(read === undefined || read.answers.length * 11 < bytes.length);
  });
  fc.assert(property, { numRuns: 5000 });
});

Deno.test("dns_decode.ts ends for pointers in a loop, a chain, or to names of names", () => {
  const head = "000081800000ffff00000000";
  const loop = "c00c";
  const pair = "c00ec00c";
  const labelled = "0161c00c";
  for (const name of [loop, pair, labelled]) {
    assertEquals(decodeDns(Uint8Array.fromHex(head + name)), undefined);
  }
  // Each of thousands of records points to the longest chain of pointers.
  const chain = new Uint8Array(LONGEST).fill(0xc0);
  chain.set(Uint8Array.fromHex(head));
  for (let at = 12; at + 1 < LONGEST; at += 2) {
    const to = Math.min(at + 2, 0x3ffe);
    chain.set([0xc0 | to >> 8, to & 255], at);
  }
  assertEquals(decodeDns(chain), undefined);
});

Deno.test("dns_decode.ts reads the largest message of the longest names", () => {
  // One name of 254 bytes, and as many records as there is room for, of that name.
  const name = `${`${"x".repeat(62)}.`.repeat(4)}`;
  const question = { name, type: 2, class: 1 };
  const first = encodeDns({
    ...{ id: 0, flags: 0x8000, questions: [question], answers: [] },
  });
  const record = Uint8Array.fromHex("c00c000200010000000000020000");
  record.set([0xc0, 12], 12);
  const count = Math.floor((LONGEST - first.length) / record.length);
  const message = new Uint8Array(first.length + count * record.length);
  message.set(first);
  new DataView(message.buffer).setUint16(6, count);
  for (let i = 0; i < count; i++) {
    message.set(record, first.length + i * record.length);
  }
  assertEquals(decodeDns(message)?.answers.length, count);
});

Deno.test("netflow_decode.ts holds whatever an export is, with templates that lie", () => {
  const templates = new Map();
  const property = fc.property(hostile(NETFLOW), (bytes) => {
    // They stay for the next one, as they do for an exporter.
    holds(() => [...flows(bytes, templates)]);
    assert(templates.size <= 1000);
  });
  fc.assert(property, { numRuns: 5000 });
  const sizes = ["00000000", "00000003", "0000ffff", "00050000"];
  for (const size of sizes) {
    const bytes = Uint8Array.fromHex(`0009${"0000".repeat(9)}${size}`);
    assertThrows(() => [...flows(bytes, new Map())], RangeError);
  }
  // A template of no size, and of fields of no size.
  for (const fields of ["0000", "0001" + "00080000"]) {
    const set = `0100${fields}`;
    const bytes = `0009${"0000".repeat(9)}0000` +
      (4 + set.length / 2).toString(16).padStart(4, "0") + set +
      "0100000c" + "00".repeat(8);
    assertEquals([...flows(Uint8Array.fromHex(bytes), new Map())], []);
  }
});

Deno.test("netflow_decode.ts reads nothing behind a datagram in shared memory", () => {
  const shared = new Uint8Array(200).fill(1);
  shared.set([0, 5, 0, 1]);
  assertThrows(() => [...flows(shared.subarray(0, 40), new Map())], RangeError);
});

Deno.test("osc_decode.ts holds whatever a message is, with bundles in bundles", () => {
  const message = encodeOsc({ ...OSC, types: "isfT" });
  const bundle = Uint8Array.from([
    ...utf8.encode("#bundle\0"),
    ...[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, message.length],
    ...message,
  ]);
  for (const valid of [message, bundle]) {
    assertEquals(decodeOsc(valid).length, 1);
    const property = fc.property(hostile(valid), (bytes) => {
      holds(() => decodeOsc(bytes));
    });
    fc.assert(property, { numRuns: 3000 });
  }
  const nested = new Uint8Array(LONGEST - 3);
  for (let at = 0; at + 20 <= nested.length; at += 20) {
    nested.set(utf8.encode("#bundle\0"), at);
    new DataView(nested.buffer).setInt32(at + 16, nested.length - at - 20);
  }
  holds(() => decodeOsc(nested));
});

Deno.test("stun.ts holds whatever a response is", () => {
  const response = Uint8Array.fromHex(
    "0101000c2112a442" + "00".repeat(12) + "0020000800010000c0000201",
  );
  const id = [0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12)];
  const property = fc.property(hostile(response), (bytes) => {
    for (const value of attributes(bytes).values()) mapped(value, id);
  });
  fc.assert(property, { numRuns: 5000 });
});

Deno.test("syslog.ts shows whatever comes as one line, also the longest", () => {
  const start = "<13>1 - h a p m ";
  const property = fc.property(fc.string(), fc.boolean(), (text, isNew) => {
    const line = shown(isNew ? start + text : text);
    assertEquals(escapeControls(line), line);
  });
  fc.assert(property, { numRuns: 2000 });
  const parts = ['["', '[a="b"]', "[a\\", '["\\"', "<1", " ", "[[", "]"];
  for (const part of parts) {
    const text = part.repeat(LONGEST / part.length);
    assert(shown(start + text).includes("user.notice"));
    assert(shown(text).includes("user.notice"));
  }
});

Deno.test("statsd.ts keeps at most 10,000 names and members, and refuses what is no metric", () => {
  const metrics = new Metrics();
  const added = Array.from(
    { length: 20_000 },
    (_, i) => metrics.add(i % 2 === 0 ? `n${i}:1|c` : `set:${i}|s`),
  );
  assertEquals(added.filter(Boolean).length, 10_000);
  assertEquals(metrics.add("n0:1|c"), true);
  const property = fc.property(fc.string(), (line) => {
    metrics.add(line);
    metrics.add(`a:${line}|ms|@${line}`);
  });
  fc.assert(property);
  assertEquals(metrics.flush().length, 5001);
  const wrong = ["a", "a:|c", ":1|c", "a:1", "a:1|x", "a:b|c", "a:1|c|@0"];
  for (const line of wrong) assertEquals(metrics.add(line), false, line);
});

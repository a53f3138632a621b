/** The packets of STAMP, against bytes written by hand from RFC 8762 and RFC 8972. */
import { assert, assertEquals } from "@std/assert";
import {
  asksForCounts,
  COUNTS_QUESTION_SIZE,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  isAnswer,
  type SessionCounts,
  stampNumber,
  stampTime,
} from "../lib/measure/stamp.ts";
import { random } from "./support/helpers.ts";

// 2021-01-01T00:00:00.5Z, in NTP and in PTP form.
const MS = 1_609_459_200_500;
const NTP = "e3 98 e4 80 80 00 00 00";
const PTP = "5f ee 66 00 1d cd 65 00";
// 2^-32 s × 2^24 × 255 is the least that is at least 0.99 s.
const QUESTION_BYTES = [
  "00 00 01 02", // number
  NTP,
  "18 ff", // error estimate: not synchronized, NTP, scale 24, multiplier 255
  "ab cd", // session identifier
  "00 ".repeat(28), // zeros
].join(" ");
const ERROR = {
  synchronized: false,
  format: "ntp",
  errorMs: 255 * 2 ** 24 / 2 ** 32 * 1000,
} as const;
const COUNTS: SessionCounts = {
  received: 1,
  distinct: 2,
  duplicates: 3,
  reordered: 4,
  maxExtent: 5,
  sumOfExtents: 2 ** 40,
  answered: 6,
  limited: 7,
  dropped: 8,
  isShared: true,
};

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.match(/[0-9a-f]{2}/g) ?? [];
  return Uint8Array.from(digits, (byte) => parseInt(byte, 16));
}

Deno.test("a question has the bytes of RFC 8762, section 4.2.1", () => {
  const question = { number: 258, timeMs: MS, error: ERROR, ssid: 0xabcd };
  assertEquals(encodeQuestion(question), bytes(QUESTION_BYTES));
  assertEquals(decodeQuestion(bytes(QUESTION_BYTES)), question);
});

Deno.test("an answer has the bytes of RFC 8762, section 4.3.1", () => {
  const expected = bytes([
    "00 00 00 07", // number
    NTP,
    "18 ff",
    "ab cd",
    "e3 98 e4 80 40 00 00 00", // receive time
    "00 00 01 02", // the sender's number
    NTP,
    "18 ff",
    "00 00",
    "ff", // the sender's time to live
    "00 00 00",
    "00 00 00 00 00 00", // padding
  ].join(" "));
  const question = bytes(`${QUESTION_BYTES} 00 00 00 00 00 00`);
  const answer = { number: 7, timeMs: MS, error: ERROR, receivedMs: MS - 250 };
  assertEquals(encodeAnswer(question, answer), expected);
  assertEquals(decodeAnswer(expected), {
    ...answer,
    ssid: 0xabcd,
    question: { number: 258, timeMs: MS, error: ERROR },
    ttl: 255,
    counts: undefined,
  });
});

Deno.test("times are NTP's or PTP's by the Z flag, each part by its own", () => {
  const ptp = { ...ERROR, format: "ptp" } as const;
  const question = encodeQuestion({ timeMs: MS, error: ptp });
  assertEquals(question.subarray(4, 14), bytes(`${PTP} 58 ff`));
  const answer = decodeAnswer(
    encodeAnswer(question, { number: 0, receivedMs: MS }),
  );
  assertEquals(answer?.question, { number: 0, timeMs: MS, error: ptp });
  assertEquals([answer?.receivedMs, answer?.error.format], [MS, "ntp"]);
  stampTime(question, MS + 1000);
  stampNumber(question, 2 ** 32 - 1);
  const { number, timeMs } = decodeQuestion(question)!;
  assertEquals([number, timeMs], [2 ** 32 - 1, MS + 1000]);
});

Deno.test("times keep parts of a microsecond, before 2036 and after", () => {
  for (
    const ms of [0, MS + 0.123456, Date.UTC(2036, 1, 7, 6, 28, 16), 4.1e12]
  ) {
    for (const format of ["ntp", "ptp"] as const) {
      const packet = encodeQuestion({
        timeMs: ms,
        error: { ...ERROR, format },
      });
      const off = decodeQuestion(packet)!.timeMs - ms;
      assert(Math.abs(off) < 0.0003, `${off}`);
    }
  }
});

Deno.test("an error estimate is rounded up, and holds milliseconds to years", () => {
  for (const errorMs of [0, 1e-6, 0.001, 1, 999, 1000, 86_400_000, 1e11]) {
    for (const synchronized of [true, false]) {
      const error = { synchronized, format: "ntp", errorMs } as const;
      const read = decodeQuestion(encodeQuestion({ error }))!.error;
      assertEquals(read.synchronized, synchronized);
      assert(read.errorMs >= errorMs);
      assert(read.errorMs <= errorMs * 1.02 + 1e-6, `${errorMs}`);
    }
  }
});

Deno.test("padding is zeros, or an extension where there is room for its header", () => {
  for (const size of [undefined, 0, 43, 44, 45, 47, 48, 49, 1472]) {
    const length = Math.max(size ?? 0, 44);
    const zeros = encodeQuestion({ size });
    assertEquals(zeros.length, length);
    assert(zeros.subarray(44).every((byte) => byte === 0));
    const tlv = encodeQuestion({ size, padding: "tlv" });
    assertEquals(tlv.length, length);
    const header = length < 48
      ? []
      : [0x80, 1, length - 48 >> 8, length - 48 & 255];
    assertEquals([...tlv.subarray(44, 48)].slice(0, header.length), header);
  }
});

Deno.test("a reflector marks extensions: known, not recognized, malformed", () => {
  const tlvs: [given: string, answered: string][] = [
    ["80 01 00 02 aa bb", "00 01 00 02 aa bb"],
    ["80 05 00 01 aa", "80 05 00 01 aa"],
    ["80 05 00 00 80 01 00 00", "80 05 00 00 00 01 00 00"],
    ["80 01 00 03 aa bb", "40 01 00 03 aa bb"],
    ["80 f6 00 00", "80 f6 00 00"],
    // No extensions: padding of any bytes is left as it is.
    ["00 01 00 00", "00 01 00 00"],
    ["e0 09 ff ff", "e0 09 ff ff"],
    ["80 01", "80 01"],
  ];
  for (const [given, answered] of tlvs) {
    const question = bytes(`${QUESTION_BYTES} ${given}`);
    const answer = encodeAnswer(question, { number: 0, receivedMs: 0 });
    assertEquals(answer.subarray(44), bytes(answered), given);
  }
});

Deno.test("counts travel in the place that the question has for them", () => {
  const question = encodeQuestion({ asksForCounts: true, ssid: 3 });
  assertEquals(question.length, COUNTS_QUESTION_SIZE);
  assertEquals(question.subarray(44, 52), bytes("80 f6 00 50 50 6c 69 01"));
  assert(asksForCounts(question));
  assert(!asksForCounts(encodeQuestion({ size: 128 })));
  for (const dropped of [8, undefined]) {
    for (const isShared of [true, false]) {
      const counts = { ...COUNTS, dropped, isShared };
      const answer = encodeAnswer(question, {
        number: 0,
        receivedMs: 1,
        counts,
      });
      assertEquals(answer.length, question.length);
      assertEquals(answer[44], 0);
      assertEquals(decodeAnswer(answer)?.counts, counts);
    }
  }
});

Deno.test("a reflector that does not know the counts leaves none", () => {
  const question = encodeQuestion({ asksForCounts: true, size: 1000 });
  const echoed = encodeAnswer(question, { number: 0, receivedMs: 1 });
  assertEquals(echoed[44], 0x80);
  assertEquals(decodeAnswer(echoed)?.counts, undefined);
  // One that copies nothing beyond its fields.
  assertEquals(decodeAnswer(echoed.subarray(0, 41))?.counts, undefined);
  // One that clears the flag without writing anything.
  echoed[44] = 0;
  assertEquals(decodeAnswer(echoed)?.counts, undefined);
});

Deno.test("an answer is told from a question, whatever padding a question has", () => {
  const next = random(1);
  const now = Date.now();
  const answer = { number: 1, timeMs: now, receivedMs: now - 20 };
  for (const format of ["ntp", "ptp"] as const) {
    const error = { ...ERROR, format };
    for (const size of [44, 128, 1472]) {
      const question = encodeQuestion({ timeMs: now, size, error });
      assert(!isAnswer(question));
      assert(isAnswer(encodeAnswer(question, { ...answer, error })));
      assert(isAnswer(encodeAnswer(question, answer)));
    }
  }
  // A sender without a clock, and one that sends zeros.
  assert(!isAnswer(encodeQuestion({}).fill(0, 4, 12)));
  assert(!isAnswer(new Uint8Array(44)));
  // A TWAMP Light reflector pads as it likes after its 41 bytes.
  assert(isAnswer(encodeAnswer(encodeQuestion({}), answer).fill(0xaa, 41)));
  assert(
    isAnswer(encodeAnswer(encodeQuestion({}), { number: 0, receivedMs: 0 })),
  );
  for (let i = 0; i < 20_000; i++) {
    const padded = encodeQuestion({ timeMs: now }).map((byte, at) =>
      at < 14 ? byte : next(256)
    );
    assert(!isAnswer(padded));
  }
  for (const byte of [0xaa, 0xff, 0x55]) {
    assert(!isAnswer(encodeQuestion({ timeMs: now }).fill(byte, 14)));
  }
});

Deno.test("short packets are neither questions nor answers, and none throws", () => {
  const next = random(2);
  for (let length = 0; length < 200; length++) {
    const packet = Uint8Array.from({ length }, () => next(256));
    assertEquals(decodeQuestion(packet) === undefined, length < 41);
    assertEquals(decodeAnswer(packet) === undefined, length < 38);
    if (length < 41) continue;
    asksForCounts(packet);
    const answer = encodeAnswer(packet, {
      number: 1,
      receivedMs: 1,
      counts: COUNTS,
    });
    assertEquals(answer.length, length);
  }
});

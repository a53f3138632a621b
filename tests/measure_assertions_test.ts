import { assertEquals, assertThrows } from "@std/assert";
import {
  failures,
  readAssertions,
} from "../lib/programs/measure/assertions.ts";
import { UsageError } from "../lib/programs/options.ts";
import { NO_DELAYS, resultWith } from "./support/measure_results.ts";

const fails = (text: string, changes = {}) =>
  failures(readAssertions(text), resultWith(changes));

Deno.test("each quantity is compared in its unit, by each operator", () => {
  const held = [
    "loss<8.56%, loss<=8.55%, loss>=8.55%, loss>8.54%",
    "loss-out<5%, loss-back<5%, duplicates<=2%, reordered<=0%",
    "min>=20ms,min<=20000us,min<0.021s,max<=21.828ms",
    "p50<p99".replace("p99", "21ms"),
    "mean<22ms,p90<22ms,p99<22ms,p99.9<22ms,p99.99<=22ms",
    "jitter<=0.5ms,jitter>=500us",
  ];
  for (const text of held) assertEquals(fails(text), [], text);
});

Deno.test("a condition that does not hold says what was given and measured", () => {
  assertEquals(fails("loss<1%,p99<22ms,max<5ms"), [
    "assertion failed: loss<1%, measured: loss 8.55%",
    "assertion failed: max<5ms, measured: max 21.828ms",
  ]);
  assertEquals(fails("loss-out<1%"), [
    "assertion failed: loss-out<1%, measured: loss-out 4.1020510000000004%"
      .replace("4.1020510000000004", "4.10205"),
  ]);
});

Deno.test("the bound itself is in for <= and >=, and out for < and >", () => {
  const changes = { sent: 100, received: 99 };
  assertEquals(fails("loss<=1%,loss>=1%", changes), []);
  assertEquals(fails("loss<1%", changes).length, 1);
  assertEquals(fails("loss>1%", changes).length, 1);
});

Deno.test("what a result does not know fails every condition on it", () => {
  const none = { received: 0, rttMs: NO_DELAYS };
  for (const name of ["min", "p50", "max", "jitter"]) {
    for (const operator of ["<", "<=", ">", ">="]) {
      const text = `${name}${operator}0ms`;
      assertEquals(fails(text, none), [
        `assertion failed: ${text}, measured: ${name} is unknown`,
      ]);
    }
  }
  const { lost } = resultWith();
  const unknown = { lost: { ...lost, unknown: 1 } };
  for (const text of ["loss-out<=100%", "loss-back<=100%"]) {
    assertEquals(fails(text, unknown).length, 1);
  }
  assertEquals(fails("loss<=100%", { sent: 0, received: 0 }).length, 1);
});

Deno.test("an invalid run fails, whatever its numbers are", () => {
  const invalid = { valid: false, invalid: ["It was late", "It was slow"] };
  assertEquals(fails("loss<100%", invalid), [
    "assertion failed: the run is invalid: It was late; It was slow",
  ]);
  assertEquals(failures([], resultWith(invalid)), []);
});

for (
  const [text, says] of [
    ["", "must be a condition, such as loss<1% or p99<20ms"],
    ["loss", "must be a condition"],
    ["loss<1%,", "must be a condition"],
    ["loss=1%", "must be a condition"],
    ["loss==1%", "must be a condition"],
    ["loss<-1%", "must be a condition"],
    ["loss<1e3%", "must be a condition"],
    ["LOSS<1%", "must be a condition"],
    ["1%>loss", "must be a condition"],
    [
      "lost<1%",
      "the name must be one of loss, loss-out, loss-back, duplicates",
    ],
    ["constructor<1%", "the name must be one of"],
    ["p99.999<1ms", "the name must be one of"],
    ["loss<1", "the unit of loss must be %"],
    ["loss<1ms", "the unit of loss must be %"],
    ["p99<20", "the unit of p99 must be ms or us, s"],
    ["p99<20%", "the unit of p99 must be"],
    ["p99<20toString", "must be a condition"],
    ["p99<20constructor", "the unit of p99 must be"],
  ] as const
) {
  Deno.test(`--assert ${JSON.stringify(text)} is refused`, () => {
    const { message } = assertThrows(() => readAssertions(text), UsageError);
    assertEquals(message.includes("\n"), false);
    assertEquals(message.startsWith("--assert "), true);
    assertEquals(message.includes(says), true, message);
  });
}

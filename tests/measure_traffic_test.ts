import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../lib/programs/options.ts";
import {
  formatBits,
  readSize,
  readTrafficRate,
} from "../lib/programs/measure/traffic.ts";

Deno.test("--rate is datagrams, or bits per second of their own bytes", () => {
  const rate = (text?: string) => readTrafficRate("rate", text);
  assertEquals(rate(undefined), undefined);
  assertEquals(rate("1000/s"), { rate: 1000 });
  assertEquals(rate("60/m"), { rate: 1 });
  assertEquals(rate("0.5"), { rate: 0.5 });
  assertEquals(rate("10mbit"), { bitsPerSecond: 10e6 });
  assertEquals(rate("1.5gbit"), { bitsPerSecond: 1.5e9 });
  for (
    const text of [
      "",
      "0",
      "0mbit",
      "-1/s",
      "fast",
      "10 mbit",
      "10MB",
      "1e3",
      `${1e15}gbit`,
      `9${"0".repeat(400)}`,
    ]
  ) {
    const { message } = assertThrows(() => rate(text), UsageError);
    assertEquals(
      message.endsWith(": must be a rate, such as 1000/s or 10mbit"),
      true,
      message,
    );
  }
});

Deno.test("--size is one length, several in turn, or imix", () => {
  const size = (text?: string) => readSize(text, 44, 1000);
  assertEquals(size(undefined), undefined);
  assertEquals(size("imix"), "imix");
  assertEquals(size("44"), [44]);
  assertEquals(size("1000,44,44"), [1000, 44, 44]);
  for (
    const text of [
      "",
      "43",
      "1001",
      "44,",
      ",44",
      "44;45",
      "44,imix",
      "4e1",
      "0x44",
      "44.0",
      Array(101).fill(44).join(),
    ]
  ) {
    const { message } = assertThrows(() => size(text), UsageError);
    assertEquals(message.includes("from 44 to 1000 bytes"), true, message);
  }
});

Deno.test("bits per second are written in a unit that fits", () => {
  assertEquals([0, 999, 1000, 9.876e6, 1e9, 2.5e13].map(formatBits), [
    ...["0 bit/s", "999 bit/s", "1 kbit/s", "9.876 Mbit/s", "1 Gbit/s"],
    "25000 Gbit/s",
  ]);
});

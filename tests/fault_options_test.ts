import { assertEquals, assertThrows } from "@std/assert";
import { readFaults } from "../lib/programs/fault_options.ts";
import { UsageError } from "../lib/programs/options.ts";
import { checkFaults, type Faults } from "../lib/testing/faults.ts";

const READ: [Parameters<typeof readFaults>[0], Faults][] = [
  [{}, {}],
  [{ loss: "10%" }, { loss: 0.1 }],
  [{ duplicate: "0.1%" }, { duplicate: 0.001 }],
  [{ reorder: "100%" }, { reorder: 1 }],
  [{ corrupt: "0%" }, { corrupt: 0 }],
  [{ loss: "0" }, { loss: 0 }],
  [{ delay: "20ms" }, { delayMs: { min: 20, max: 20 } }],
  [{ delay: "0ms..0.5s" }, { delayMs: { min: 0, max: 500 } }],
  [{ delay: "1.5ms..1m" }, { delayMs: { min: 1.5, max: 60_000 } }],
  [{ bandwidth: "300bit" }, { bandwidth: 300 }],
  [{ bandwidth: "64kbit" }, { bandwidth: 64_000 }],
  [{ bandwidth: "1.5mbit" }, { bandwidth: 1_500_000 }],
  [{ bandwidth: "1gbit", queue: "5" }, { bandwidth: 1e9, queue: 5 }],
  [{ mtu: "1200" }, { mtu: 1200 }],
];
for (const [values, faults] of READ) {
  Deno.test(`${JSON.stringify(values)} is read`, () => {
    assertEquals(checkFaults(readFaults(values)), checkFaults(faults));
  });
}

const PERCENTAGE = "must be from 0% to 100%, such as 0.5% or 10%";
const TIME = "must be a time up to 1h or a range of them";
const RATE = "must be bits per second above 0";

const REFUSED: [string, string[], string][] = [
  ["loss", ["10", "0.1", "101%", "-1%", "%", "", "1e1%", "ten%"], PERCENTAGE],
  ["corrupt", ["100.01%", " 1%", "1 %", "00"], PERCENTAGE],
  ["delay", ["20", "", "..", "1ms..", "..1ms", "5ms..1ms", "-1ms"], TIME],
  ["delay", ["1ms..2ms..3ms", "61m", "1ms...2ms", "1ms-2ms"], TIME],
  ["bandwidth", ["1", "1mb", "0mbit", "", "mbit", "-1bit", "1Mbit"], RATE],
  ["mtu", ["0", "1.5", "-1", "x"], "must be a whole number from 1"],
];
for (const [name, texts, says] of REFUSED) {
  for (const text of texts) {
    Deno.test(`--${name} ${JSON.stringify(text)} is refused`, () => {
      const message = `--${name} ${JSON.stringify(text)}: ${says}`;
      assertThrows(() => readFaults({ [name]: text }), UsageError, message);
    });
  }
}

Deno.test("--queue without --bandwidth is refused", () => {
  assertThrows(
    () => readFaults({ queue: "5" }),
    UsageError,
    "--queue needs --bandwidth",
  );
});

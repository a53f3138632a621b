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
  [{ delay: "50ms+-10ms" }, { delayMs: { mean: 50, deviation: 10 } }],
  [{ delay: "20ms:9/0.2s/1h:0" }, {
    delayMs: [{ ms: 20, weight: 9 }, { ms: 200 }, { ms: 3_600_000, weight: 0 }],
  }],
  [{ "duplicate-again": "50%" }, { duplicateAgain: 0.5 }],
  [{ burst: "1%/25%" }, { burst: { enter: 0.01, leave: 0.25, loss: 1 } }],
  [{ burst: "1%/0/90%" }, { burst: { enter: 0.01, leave: 0, loss: 0.9 } }],
  [{ burst: "none" }, { burst: { enter: 0, leave: 1, loss: 0 } }],
  [{ mtu: "none", bandwidth: "none", queue: "5" }, { queue: 5 }],
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
const BURST = "must be the percentages that begin and end a burst, such as";
const RATE = "must be bits per second above 0";

const REFUSED: [string, string[], string][] = [
  ["loss", ["10", "0.1", "101%", "-1%", "%", "", "1e1%", "ten%"], PERCENTAGE],
  ["corrupt", ["100.01%", " 1%", "1 %", "00"], PERCENTAGE],
  ["delay", ["20", "", "..", "1ms..", "..1ms", "5ms..1ms", "-1ms"], TIME],
  ["delay", ["1ms..2ms..3ms", "61m", "1ms...2ms", "1ms-2ms"], TIME],
  ["delay", ["5ms+-", "+-5ms", "5ms+-1ms+-1ms", "5ms+-61m", "-5ms+-1ms"], TIME],
  ["delay", ["5ms:", ":1", "5ms:0", "5ms:-1/6ms", "5ms:1.5", "5ms//6ms"], TIME],
  ["delay", ["5ms:NaN", "5ms:0/6ms:0", "61m:1", "5ms:1e9", "/", ":"], TIME],
  ["delay", ["none", Array(1001).fill("5ms").join("/")], TIME],
  ["burst", ["1%", "1%/2%/3%/4%", "1/2", "1%/101%", "%/%", "", "/"], BURST],
  ["bandwidth", ["1", "1mb", "0mbit", "", "mbit", "-1bit", "1Mbit"], RATE],
  ["mtu", ["0", "1.5", "-1", "x"], "must be a whole number from 1"],
];
for (const [name, texts, says] of REFUSED) {
  for (const text of texts) {
    Deno.test(`--${name} ${JSON.stringify(text.slice(0, 40))} is refused`, () => {
      const given = text.length > 120 ? `${text.slice(0, 120)}…` : text;
      const message = `--${name} ${JSON.stringify(given)}: ${says}`;
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

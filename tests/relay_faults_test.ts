/** The faults of the program `relay`, and the commands that change them. */
import { assertEquals, assertThrows } from "@std/assert";
import { followCommands } from "../lib/programs/commands.ts";
import { UsageError } from "../lib/programs/options.ts";
import { RelayFaults } from "../lib/programs/relay_faults.ts";
import { checkFaults } from "../lib/testing/faults.ts";

/** The faults of both directions. */
function inBoth(faults: RelayFaults) {
  return Object.fromEntries(
    faults.all.map(([way, faults]) => [way, checkFaults(faults)]),
  );
}

const COMMANDS: [string, string][] = [
  ["set loss 10%", "faults: loss=10%"],
  ["set loss=10%,delay=20ms", "faults: loss=10%,delay=20ms"],
  ["  set  loss = 10% ,\tmtu = 9 \r", "faults: loss=10%,mtu=9"],
  ["set up loss 10%", "faults: up loss=10%; down none"],
  ["set down burst 1%/25%", "faults: up none; down burst=1%/25%"],
  ["set loss 0", "faults: none"],
  ["set delay 0ms mtu none burst none", "faults: none"],
  ["", "faults: none"],
  ["   ", "faults: none"],
];
for (const [command, says] of COMMANDS) {
  Deno.test(`the command ${JSON.stringify(command)} leads to: ${says}`, () => {
    const faults = new RelayFaults({});
    faults.execute(command);
    assertEquals(faults.describe(), says);
  });
}

Deno.test("a command changes what it names, and the rest stays", () => {
  const faults = new RelayFaults({ loss: "5%", mtu: "900" });
  faults.set("--up", "loss=10%", ["up"]);
  assertEquals(
    faults.describe(),
    "faults: up loss=10%,mtu=900; down loss=5%,mtu=900",
  );
  const changed = faults.execute("set down delay 20ms");
  assertEquals(changed.map(([way]) => way), ["down"]);
  faults.execute("set mtu none");
  assertEquals(
    faults.describe(),
    "faults: up loss=10%; down loss=5%,delay=20ms",
  );
  assertEquals(inBoth(faults), {
    up: checkFaults({ loss: 0.1 }),
    down: checkFaults({ loss: 0.05, delayMs: { min: 20, max: 20 } }),
  });
});

Deno.test("what describe writes, a command reads", () => {
  const list = "loss=10%,duplicate=1%,duplicate-again=50%,burst=1%/25%/90%," +
    "reorder=5%,corrupt=0.1%,delay=20ms:9/200ms,bandwidth=1mbit,mtu=9,queue=5";
  const faults = new RelayFaults({});
  faults.execute(`set ${list}`);
  assertEquals(faults.describe(), `faults: ${list}`);
});

const WRONG: [string, string][] = [
  ["nope", '"nope": no command; give one as set loss 10%, or set up delay'],
  ["loss 10%", '"loss 10%": no command'],
  ["set", "set: give faults, such as loss=10%,delay=20ms"],
  ["set up", "set: give faults"],
  [
    "set sideways loss 1%",
    'set: there is no fault "sideways"; there are loss,',
  ],
  ["set toString 1", 'set: there is no fault "toString"'],
  ["set __proto__ 1", 'set: there is no fault "__proto__"'],
  ["set loss", "set: loss needs a value"],
  ["set loss 1% loss 2%", "set: loss is given twice"],
  ["set loss 5", 'set: loss "5": must be from 0% to 100%'],
  ["set delay NaN", 'set: delay "NaN": must be a time'],
  ["set queue 5", "set: queue needs bandwidth"],
  ["set loss \x1b[2J", 'set: loss "\\x1b[2J": must be'],
];
for (const [command, says] of WRONG) {
  Deno.test(`the command ${JSON.stringify(command)} is refused, and nothing changes`, () => {
    const faults = new RelayFaults({ loss: "5%" });
    assertThrows(() => faults.execute(command), UsageError, says);
    assertEquals(faults.describe(), "faults: loss=5%");
  });
}

Deno.test("a list that is wrong for one direction changes neither", () => {
  const faults = new RelayFaults({});
  faults.execute("set up bandwidth 1mbit");
  assertThrows(() => faults.execute("set queue 5"), UsageError);
  assertEquals(faults.describe(), "faults: up bandwidth=1mbit; down none");
});

/** What becomes of an input, in chunks. */
async function follow(chunks: Iterable<string | Uint8Array>) {
  const encoder = new TextEncoder();
  const commands: string[] = [];
  const reports: string[] = [];
  await followCommands(
    (async function* () {
      for (const chunk of chunks) {
        yield typeof chunk === "string" ? encoder.encode(chunk) : chunk;
      }
    })(),
    {
      execute(command) {
        commands.push(command);
        if (command === "throw") throw new Error("thrown");
      },
      report: (line) => void reports.push(line),
    },
  );
  return { commands, reports };
}

Deno.test("each line is a command, in whatever pieces it comes, also the last", async () => {
  const { commands, reports } = await follow(["on", "e\r\ntw", "o\n\nlast"]);
  assertEquals(commands, ["one", "two", "", "last"]);
  assertEquals(reports, []);
});

Deno.test("a command that fails is reported, and the next one is carried out", async () => {
  const { commands, reports } = await follow(["throw\nnext\n"]);
  assertEquals([commands, reports], [["throw", "next"], ["thrown"]]);
});

Deno.test("a line that is too long is reported with its length, and takes no memory", async () => {
  const long = function* () {
    const chunk = new Uint8Array(1_000_000).fill(120);
    for (let n = 0; n < 100; n++) yield chunk;
    yield "\nnext\n";
  };
  const { commands, reports } = await follow(long());
  assertEquals(commands, ["next"]);
  assertEquals(reports, [
    "a line of standard input is too long: 100000000 bytes, at most 1000",
  ]);
});

Deno.test("bytes that are no text are a command like any other", async () => {
  const { commands } = await follow([new Uint8Array([0xff, 0, 0xfe, 10])]);
  assertEquals(commands, ["\ufffd\0\ufffd"]);
});

Deno.test("an input that fails, as a terminal that is gone, is reported once", async () => {
  const failing = (function* () {
    yield "one\n";
    throw new Error("Input/output error (os error 5)");
  })();
  const { commands, reports } = await follow(failing);
  assertEquals(commands, ["one"]);
  assertEquals(reports, [
    'no more commands from standard input: "Input/output error (os error 5)"',
  ]);
});

Deno.test("a flood of lines lets the event loop turn", async () => {
  let turned = false;
  setTimeout(() => turned = true);
  let seen = 0;
  const flood = (async function* () {
    const lines = new TextEncoder().encode("\n".repeat(10_000));
    while (!turned) yield await Promise.resolve(lines);
  })();
  await followCommands(flood, { execute: () => seen++, report: () => {} });
  assertEquals(seen % 10_000, 0);
});

/** Sequence diagrams of what happened on a simulated network. */
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, type DatagramSocket } from "../mod.ts";
import {
  type Fate,
  type NetworkOptions,
  type SimulatedNetwork,
  simulateNetwork,
} from "../lib/testing/mod.ts";
import { sleep } from "./support/planted.ts";

const A = "10.0.0.1:1";
const B = "10.0.0.2:2";

/** Sends texts from some hosts to the next ones, 10 ms apart. */
async function chain(
  hosts: number,
  texts: (string | Uint8Array)[],
  options: NetworkOptions = {},
) {
  const network = simulateNetwork(options);
  await network.run(async () => {
    const sockets: DatagramSocket[] = [];
    for (let n = 1; n <= hosts; n++) {
      sockets.push(bind(`udp://10.0.0.${n}:${n}`, { carrier: network }));
    }
    for (const [n, text] of texts.entries()) {
      const to = sockets[(n + 1) % hosts]!.addr;
      await sockets[n % hosts]!.send(text, to);
      await sleep(10);
    }
    for (const socket of sockets) socket.close();
  }, { left: "ignore" });
  return network;
}

/** The diagram of three datagrams from A to B, 10 ms apart, the second with a fate. */
async function drawn(fate: Partial<Fate>): Promise<string[]> {
  const fates = [{ from: A, to: B, n: 2, ...fate }];
  const network = simulateNetwork({ fates });
  await network.run(async () => {
    await using a = bind(`udp://${A}`, { carrier: network });
    await using b = bind(`udp://${B}`, { carrier: network });
    for (const text of ["one", "two", "three"]) {
      await a.send(text, b.addr);
      await sleep(10);
    }
  });
  return network.diagram().trimEnd().split("\n");
}

const HEAD = "      ms  10.0.0.1:1                    10.0.0.2:2";
const ONE = '       0  │────────── "one" ───────────→│';
const THREE = '      20  │───────── "three" ──────────→│';
const FATES: [string, Partial<Fate>, string[]][] = [
  ["delivered", {}, ['      10  │────────── "two" ───────────→│']],
  ["lost", { lost: true }, ['      10  │─────── "two" ───────✗       │  lost']],
  [
    "delayed",
    { delayMs: 2.54 },
    ['      10  │────────── "two" ───────────→│  +2.5 ms'],
  ],
  [
    "corrupted and copied",
    { flippedBit: 0, copy: { delayMs: 3 } },
    [
      '      10  │────────── "uwo" ───────────→│  corrupted',
      '      10  │────────── "two" ───────────→│  copy, +3 ms',
    ],
  ],
  [
    "in flight",
    { delayMs: 1000, reordered: true },
    ['      10  │─────── "two" ───────…       │  in flight, reordered'],
  ],
];
for (const [what, fate, lines] of FATES) {
  Deno.test(`the diagram of a datagram that is ${what} says so`, async () => {
    assertEquals(await drawn(fate), [HEAD, ONE, ...lines, THREE]);
  });
}

Deno.test("a datagram that is overtaken has two rows with one number", async () => {
  assertEquals(await drawn({ delayMs: 15, reordered: true }), [
    HEAD,
    ONE,
    '      10  │───── (1) "two" ─────…       │',
    THREE,
    "      25  │       ──────── (1) ────────→│  reordered",
  ]);
});

Deno.test("crashes, restarts, partitions and rules are in the diagram", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using a = bind(`udp://${A}`, { carrier: network });
    const { addr } = bind(`udp://${B}`, { carrier: network });
    network.rule((_, n) => n === 1 ? "drop" : undefined);
    await a.send("ruled", addr);
    network.partition("10.0.0.1", "10.0.0.2");
    await a.send("parted", addr);
    network.heal();
    network.host("10.0.0.2").crash();
    await a.send("down", addr);
    await sleep(1);
    network.host("10.0.0.2").restart();
    await a.send("nobody", addr);
    await sleep(1);
  });
  assertEquals(network.diagram().split("\n"), [
    HEAD,
    '       0  │────── "ruled" ──────✗       │  dropped',
    "       0  * 10.0.0.1 and 10.0.0.2 are parted",
    '       0  │───────── "parted" ─────────✗│  parted',
    "       0  * healed",
    "       0  * 10.0.0.2 crashes",
    '       0  │────────── "down" ──────────✗│  host is down',
    "       1  * 10.0.0.2 is restarted",
    '       1  │───────── "nobody" ─────────✗│  unreachable',
    "",
  ]);
});

Deno.test("whatever is sent, each line has at most the width, and no controls", async () => {
  const texts = [
    "\x1b[2J\r\n\t",
    "日本語 日本語",
    "😀".repeat(9),
    "",
    "x".repeat(5000),
    new Uint8Array([0xff, 0, 1]),
    "a\u202eb\u2028",
  ];
  for (const hosts of [2, 3, 4, 5, 6, 7, 8, 30]) {
    const network = await chain(hosts, [
      ...texts,
      ...texts,
      ...texts,
      ...texts,
      ...texts,
    ]);
    for (const width of [40, 80, 200]) {
      const lines = network.diagram({ width }).trimEnd().split("\n");
      for (const line of lines) {
        assert([...line].length <= width, line);
        // deno-lint-ignore no-control-regex
        assert(!/[\x00-\x1f\u202e\u2028]/.test(line), JSON.stringify(line));
      }
    }
  }
});

Deno.test("long names are letters that are explained below", async () => {
  const lines = (await chain(6, ["1", "2", "3", "4", "5", "6"])).diagram()
    .split("\n");
  assertEquals(
    lines[0],
    "      ms  A         B         C         D         E         F",
  );
  assertStringIncludes(lines.join("\n"), "  F is 10.0.0.6:6");
});

Deno.test("sockets of one host have a column each; too many hosts have none", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using a = bind("udp://127.0.0.1:1", { carrier: network });
    await using b = bind("udp://127.0.0.1:2", { carrier: network });
    await a.send("x", b.addr);
    await sleep(1);
  });
  assertStringIncludes(network.diagram(), "127.0.0.1:1");
  const crowd = (await chain(20, Array(20).fill("x"))).diagram();
  assertStringIncludes(crowd, '       0  10.0.0.1:1 → 10.0.0.2:2  "x"\n');
});

Deno.test("a long diagram has its first and its last rows", async () => {
  const network = await chain(2, Array.from({ length: 100 }, (_, n) => `${n}`));
  const lines = network.diagram({ rows: 5 }).trimEnd().split("\n");
  assertEquals(lines.length, 7);
  assertStringIncludes(lines[3] ?? "", '"2"');
  assertEquals(lines[4], "          … 95 more …");
  assertStringIncludes(lines[6] ?? "", '"99"');
  assertEquals(network.diagram().trimEnd().split("\n").length, 62);
});

Deno.test("a network on which nothing happened has an empty diagram", () => {
  assertEquals(simulateNetwork().diagram(), "");
});

// deno-lint-ignore no-explicit-any
const WRONG: [any, string][] = [
  [{ width: 39 }, "width must be a whole number from 40"],
  [{ rows: 1 }, "rows must be a whole number from 2"],
  [1, "options must be an object"],
];
for (const [options, message] of WRONG) {
  Deno.test(`a diagram rejects options in one line: ${message}`, () => {
    const network: SimulatedNetwork = simulateNetwork();
    const error = assertThrows(() => network.diagram(options), Error) as Error;
    assertStringIncludes(error.message, `Cannot draw a diagram: ${message}`);
  });
}

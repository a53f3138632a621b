/** The recipes as programs: wrong arguments, and peers that lie. */
import { assertEquals, assertMatch } from "@std/assert";
import { encode } from "../../examples/protocols/dns_encode.ts";
import { bind, connect } from "../../mod.ts";
import { Collecting, runRecipe } from "./support/recipes.ts";

/**
 * Runs a recipe that asks a server, which gives many answers to each question.
 *
 * @param answersTo Returns all answers, the last of which is right.
 */
async function ask(
  name: string,
  args: string[],
  answersTo: (question: Uint8Array) => Uint8Array<ArrayBuffer>[],
): Promise<string> {
  await using server = bind("udp://127.0.0.1:0");
  const serving = (async () => {
    for await (const { data, from } of server) {
      for (const answer of answersTo(data)) await server.send(answer, from);
    }
  })();
  const at = `127.0.0.1:${server.addr.port}`;
  const { code, stdout, stderr } = await runRecipe(name, [at, ...args]);
  server.close();
  await serving;
  assertEquals([code, stderr], [0, ""]);
  return stdout.replaceAll(at, "SERVER");
}

/** What any protocol must pass over: parts of an answer, and bytes of others. */
function liesOf(answer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const cut = Array.from(
    { length: answer.length },
    (_, size) => answer.slice(0, size),
  );
  const changed = answer.slice();
  // The ID of each protocol is in its first 28 bytes.
  changed.forEach((byte, i) => changed[i] = i < 28 ? byte ^ 0x55 : byte);
  return [...cut, changed, new Uint8Array(65_507).fill(0xc0)];
}

Deno.test("dns.ts passes over answers that are cut, lie, loop, or are to other questions", async () => {
  const output = await ask("dns", ["a.example"], (question) => {
    const id = question[0]! << 8 | question[1]!;
    const asked = { name: "a.example.", type: 1, class: 1 };
    const right = { id, flags: 0x8180, questions: [asked], answers: [] };
    const data = Uint8Array.of(192, 0, 2, 1);
    const answer = encode({ ...right, answers: [{ ...asked, ttl: 5, data }] });
    const other = { ...asked, name: "b.example." };
    const empty = encode(right);
    // One record, whose name is a pointer to itself.
    const loop = Uint8Array.of(...empty, 0xc0, empty.length);
    const many = empty.slice();
    loop[7] = 1;
    many.fill(0xff, 6, 12);
    return [
      ...liesOf(answer),
      ...[loop, many, question.slice()],
      encode({ ...right, questions: [other] }),
      encode({ ...right, questions: [] }),
      answer,
    ];
  });
  assertEquals(output, "a.example.  5 s  A  192.0.2.1\n");
});

Deno.test("dns.ts asks over TCP no more than once, and ends if nobody is there", async () => {
  await using server = bind("udp://127.0.0.1:0");
  const serving = (async () => {
    for await (const { data, from } of server) {
      const truncated = data.slice();
      truncated[2]! |= 0x82;
      await server.send(truncated, from);
    }
  })();
  const at = `127.0.0.1:${server.addr.port}`;
  const { code, stdout, stderr } = await runRecipe("dns", [at, "a.example"]);
  server.close();
  await serving;
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Cannot connect to tcp:\/\/[^\n]+\n$/);
});

Deno.test("sntp.ts passes over answers that are cut, or to other questions", async () => {
  const output = await ask("sntp", [], (question) => {
    const answer = new Uint8Array(48);
    answer.set([0x24, 2]);
    answer.set(question.subarray(40), 24);
    // 2036-02-07T06:28:16Z, where the seconds begin again.
    const client = answer.slice();
    client[0] = 0x23;
    return [...liesOf(answer), client, answer];
  });
  assertMatch(output, /^2036-02-07T06:28:16\.000Z {2}stratum 2\noffset \d+/);
});

Deno.test("sntp.ts says that a server refuses, without its control characters", async () => {
  await using server = bind("udp://127.0.0.1:0");
  const at = `127.0.0.1:${server.addr.port}`;
  const run = runRecipe("sntp", [at]);
  const { data, from } = await server.receive({ timeoutMs: 20_000 });
  const kiss = new Uint8Array(48);
  kiss.set([0xe4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1b, 0x5b, 0x32, 0x4a]);
  kiss.set(data.subarray(40), 24);
  await server.send(kiss, from);
  const { code, stderr } = await run;
  assertEquals([code, stderr], [1, "The server refuses: \\x1b[2J\n"]);
});

Deno.test("stun.ts passes over responses that are cut, or to other requests", async () => {
  const output = await ask("stun", [], (question) => {
    const head = Uint8Array.of(1, 1, 0, 12, ...question.subarray(4, 20));
    const attribute = [0, 0x20, 0, 8, 0, 1];
    const port = [0x30 ^ 0x21, 0x39 ^ 0x12];
    const host = [192 ^ 0x21, 0 ^ 0x12, 2 ^ 0xa4, 1 ^ 0x42];
    const answer = Uint8Array.of(...head, ...attribute, ...port, ...host);
    // Cut ones with the right transaction have no address: an error, not here.
    const lies = liesOf(answer).filter(({ length }) => length < 20);
    return [...lies, question.slice(), answer];
  });
  assertMatch(
    output,
    /^udp:\/\/127\.0\.0\.1:\d+ is seen as 192\.0\.2\.1:12345\n$/,
  );
});

Deno.test("coap_ping.ts passes over resets of other messages", async () => {
  const output = await ask("coap_ping", [], (question) => {
    const answer = Uint8Array.of(0x70, 0, ...question.subarray(2));
    const acknowledged = answer.slice();
    acknowledged[0] = 0x60;
    return [...liesOf(answer), acknowledged, question.slice(), answer];
  });
  assertMatch(output, /^coap:\/\/SERVER answered after \d+\.\d ms\n$/);
});

/** What is sent to a recipe, and what it prints: the truth comes last. */
interface Lies {
  args?: string[];
  lies: string[];
  truth: string;
  line: RegExp;
}

const LIES: Record<string, Lies> = {
  osc: {
    lies: [
      ...["", "00", "2f6100002c690000"],
      "2362756e646c6500" + "00".repeat(8) + "ff",
    ],
    truth: "2f610000" + "2c690000" + "00000007",
    line: / {2}\/a {2}i {2}7$/,
  },
  netflow: {
    lies: [
      ...["", "000a0000", "0005ffff" + "00".repeat(20)],
      "0009" + "0000".repeat(9) + "00000000",
    ],
    truth: "00050001" + "00".repeat(20) + "c0000201c0000202" + "00".repeat(40),
    line:
      /^192\.0\.2\.1:0 → 192\.0\.2\.2:0 {2}protocol 0 {2}0 packets, 0 bytes$/,
  },
  statsd: {
    args: ["0.05"],
    lies: ["00", "3a7c", "613a317c"],
    truth: "613a317c63",
    line: /^c {2}a {2}1$/,
  },
};

for (const [name, { args = [], lies, truth, line }] of Object.entries(LIES)) {
  Deno.test(`${name}.ts counts what is malformed, and goes on`, async () => {
    const at = "udp://127.0.0.1:0";
    await using collecting = await Collecting.start(name, at, ...args);
    await using client = await connect(`127.0.0.1:${collecting.port}`);
    for (const hex of [...lies, truth]) {
      await client.send(Uint8Array.fromHex(hex));
    }
    await collecting.printed(1);
    const { lines } = await collecting.interrupt(lies.length + 1, lies.length);
    assertEquals(lines.length, 1);
    assertMatch(lines[0]!, line);
  });
}

Deno.test("syslog.ts shows what is no syslog as a notice, on one line", async () => {
  await using syslog = await Collecting.start("syslog");
  await using client = await connect(`127.0.0.1:${syslog.port}`);
  await client.send("\x1b[2J\nforged");
  await client.send("<999>1 - - - - -");
  await client.send(`<13>1 - - - - - ${"[a ".repeat(20_000)}`);
  await syslog.printed(3);
  const { lines } = await syslog.interrupt(3);
  assertEquals(lines.slice(0, 2), [
    "-  -  user.notice  -: \\x1b[2J\\nforged",
    "-  -  124.debug  -: 1 - - - - -",
  ]);
  assertEquals(lines.length, 3);
});

const WRONG: [recipe: string, args: string[], error: RegExp][] = [
  ["dns", [], /^Usage: dns\.ts HOST:PORT NAME /],
  ["dns", ["127.0.0.1:53", "a", "NONE"], /^Usage: /],
  ["dns", ["127.0.0.1:53", "x".repeat(64)], /^The name is too long: x+\.$/],
  [
    "sntp",
    ["127.0.0.1"],
    /^Invalid address "127\.0\.0\.1": the port is missing/,
  ],
  ["stun", ["127.0.0.1:0"], /^Invalid address .*port 0/],
  ["coap_ping", ["\x1b"], /^Invalid address "\\x1b"/],
  ["syslog", ["127.0.0.1:x"], /^Invalid address "127\.0\.0\.1:x"/],
  [
    "statsd",
    ["127.0.0.2:0"],
    /^Cannot bind udp:\/\/127\.0\.0\.2:0: Requires net/,
  ],
  ["netflow", [], /^Usage: netflow\.ts ADDRESS$/],
  ["osc", ["127.0.0.1:9", "fader"], /^A path begins with "\/": fader$/],
  ["osc", ["127.0.0.1:9", "/a", "i", "b"], /^Not a number: b$/],
  ["osc", ["127.0.0.1:9", "/a", "q", "b"], /^Not a type: q$/],
  ["osc", ["127.0.0.1:9", "/a", "i"], /^No value for type i$/],
  ["mdns_ask", ["127.0.0.1:9"], /^Usage: mdns_ask\.ts GROUP NAME /],
  [
    "mdns_answer",
    ["224.0.0.251:9", "a", "1.2.300.4"],
    /^Not an IPv4 address: /,
  ],
  ["wake_on_lan", ["127.0.0.1:9", "00:00"], /^Not a hardware address: 00:00$/],
];

Deno.test("wrong arguments of a recipe are one line, and it exits 1", async () => {
  await Promise.all(WRONG.map(async ([name, args, error]) => {
    const { code, stdout, stderr } = await runRecipe(name, args);
    assertEquals([code, stdout], [1, ""], name);
    assertMatch(stderr, /^[^\n]+\n$/);
    assertMatch(stderr.trimEnd(), error);
  }));
});

/** The recipes as programs, with peers that lie before they tell the truth. */
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

const LIES: Record<string, [lies: string[], truth: string, line: RegExp]> = {
  osc: [
    ["", "00", "2f6100002c690000", "2362756e646c6500" + "00".repeat(8) + "ff"],
    "2f610000" + "2c690000" + "00000007",
    / {2}\/a {2}i {2}7$/,
  ],
  netflow: [
    [
      "",
      "0005ffff" + "00".repeat(20),
      "0009" + "0000".repeat(9) + "00000000",
      "000a0000",
    ],
    "00050001" + "00".repeat(20) + "c0000201" + "c0000202" + "00".repeat(40),
    /^192\.0\.2\.1:0 → 192\.0\.2\.2:0 {2}protocol 0 {2}0 packets, 0 bytes$/,
  ],
  statsd: [["00", "3a7c", "613a317c"], "613a317c63", /^c {2}a {2}1$/],
};

for (const [name, [lies, truth, line]] of Object.entries(LIES)) {
  Deno.test(`${name}.ts counts what is malformed, and goes on`, async () => {
    await using collecting = await Collecting.start(name);
    await using client = await connect(`127.0.0.1:${collecting.port}`);
    for (const hex of [...lies, truth]) {
      await client.send(Uint8Array.fromHex(hex));
    }
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
  const { lines } = await syslog.interrupt(3);
  assertEquals(lines.slice(0, 2), [
    "-  -  user.notice  -: \\x1b[2J\\nforged",
    "-  -  124.debug  -: 1 - - - - -",
  ]);
  assertEquals(lines.length, 3);
});

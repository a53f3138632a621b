/** The program reflect. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind, connect, type ConnectedSocket } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { tls } from "../../lib/carriers/tls.ts";
import { reflect } from "../../lib/measure.ts";
import {
  decodeAnswer,
  encodeAnswer,
  encodeQuestion,
  type QuestionOptions,
  type SessionCounts,
} from "../../lib/measure/stamp.ts";
import { LOOPBACK, SOON, until } from "../support/helpers.ts";
import { boundPort } from "../interop/support/peers.ts";
import { inFolder, printedBy, typed } from "./support/commands.ts";
import { Program, run } from "./support/programs.ts";

const REFLECT = "lib/programs/reflect.ts";
const ANY = "127.0.0.1:0";

/** Asks, and waits for the answer. */
async function ask(socket: ConnectedSocket, question: QuestionOptions = {}) {
  await socket.send(encodeQuestion(question));
  return decodeAnswer((await socket.receive(SOON)).data)!;
}

Deno.test("reflect answers until Ctrl-C, and says what it did not answer", async () => {
  await using program = new Program(REFLECT, [ANY, "--max-rate", "1/h"], {
    flags: ["--allow-net=127.0.0.1", "--allow-run=cat"],
  });
  const [, address = ""] = await program.said(/^reflecting on (\S+)$/);
  await using socket = await connect(address);
  const question = encodeQuestion({});
  await socket.send("short");
  await socket.send(encodeAnswer(question, { number: 0, receivedMs: 1 }));
  await socket.send(new Uint8Array(9001));
  await ask(socket);
  await socket.send(question);
  await program.said(/^not answering some questions: beyond the rate/);
  program.kill("SIGINT");
  const { code, stdout, stderr } = await program.ended();
  assertEquals([code, stdout], [0, ""]);
  assertMatch(
    stderr,
    /^received 5 datagrams, answered 1, 1 session\nnot answered: 1 shorter than a question, 1 longer than 9,000 bytes, 1 answers of another reflector, 1 beyond the rate of their session \(see --max-rate, --allow\)\n0 dropped by the system\n$/m,
  );
});

Deno.test("reflect --quiet says nothing, and --trace each datagram", async () => {
  for (
    const [option, says] of [["--quiet", /^$/], ["--trace", / ← udp:/]] as const
  ) {
    await using program = new Program(REFLECT, [ANY, option]);
    let port: number | undefined;
    await until(async () =>
      (port = await boundPort(program.pid)) !== undefined
    );
    await using socket = await connect(`127.0.0.1:${port}`);
    await ask(socket);
    program.kill("SIGTERM");
    const { code, stderr } = await program.ended();
    assertEquals(code, 0);
    assertMatch(stderr, says);
  }
});

const WRONG: [string[], string][] = [
  [["a", "b"], "expected one ADDRESS, got 2"],
  [["127.0.0.1"], 'Invalid address "127.0.0.1"'],
  [["unix:/tmp/x"], "unix:/tmp/x: a unix: socket only receives"],
  [["--max-rate", "0"], '--max-rate "0": must be a rate, such as 1000/s'],
  [["--max-rate", "1001"], "--max-rate above 1000/s needs --allow"],
  [["--allow-port", "x"], '--allow-port "x": must be a whole number from 1 to'],
  [["--allow-port", "65536"], "must be a whole number from 1 to 65535"],
  [["--allow", "x"], 'Invalid address "x"'],
  [["--cert", "a"], "--cert is for tls:// and quic:// addresses"],
  [["tls://127.0.0.1:0"], "a tls:// server needs --cert FILE and --key FILE"],
  [["--framing", "nul"], "--framing is for tcp:// and tls:// addresses"],
  [["tcp://127.0.0.1:0", "--fast"], "--fast is for udp:// addresses"],
  [["--nonsense"], 'unknown option "--nonsense"'],
];

Deno.test("reflect refuses what it cannot use with one line, and exits 1", async () => {
  await Promise.all(WRONG.map(async ([args, says]) => {
    const { code, stdout, stderr } = await run(REFLECT, args, { flags: [] });
    assertEquals([code, stdout], [1, ""], stderr);
    assert(stderr.includes(says), stderr);
    assertMatch(stderr, /^[^\n]+\n$/);
  }));
});

Deno.test("reflect on a port in use exits 2 and names it", async () => {
  await using socket = bind(LOOPBACK);
  const { port } = socket.addr;
  const { code, stderr } = await run(REFLECT, [`127.0.0.1:${port}`]);
  assertEquals([code, stderr], [
    2,
    `Cannot bind udp://127.0.0.1:${port}: Address already in use (os error 98)\n`,
  ]);
});

Deno.test("the commands that reflect prints without permission work", () =>
  inFolder(async (folder, cert) => {
    const pems = ["--cert", "cert.pem", "--key", "key.pem"];
    const rows = [
      [["127.0.0.1:0", "--allow", "127.0.0.0/8"], undefined],
      [["127.0.0.1:0", "--fast"], undefined],
      [["tls://127.0.0.1:0", "--framing", "length", ...pems], {
        carrier: tls({ framing: "length", caCerts: [cert] }),
      }],
    ] as const;
    for (const [args, options] of rows) {
      const command = await printedBy(REFLECT, [...args], folder);
      await using program = typed(command, folder);
      const [, address = ""] = await program.said(/^reflecting on (\S+)$/);
      await using socket = await connect(address, options);
      assertEquals((await ask(socket, { number: 7 })).question.number, 7);
      program.kill("SIGINT");
      const { code, stderr } = await program.ended();
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /^received 1 datagram, answered 1, 1 session$/m);
    }
  }));

Deno.test("what the reflector's system dropped is in the counts, to the datagram", async () => {
  // Few answers, which this end can hold; the counts have the others too.
  await using program = new Program(REFLECT, [ANY, "--max-rate", "10/s"], {
    flags: ["--allow-net=127.0.0.1", "--allow-run=cat"],
  });
  const [, address = ""] = await program.said(/^reflecting on (\S+)$/);
  await using socket = await connect(address);
  const count = 3000;
  program.kill("SIGSTOP");
  for (let number = 0; number < count; number++) {
    await socket.send(encodeQuestion({ number }));
  }
  program.kill("SIGCONT");
  const next = async () => {
    const found = socket.receive({ timeoutMs: 300 }).catch(() => undefined);
    return decodeAnswer((await found)?.data ?? new Uint8Array());
  };
  await socket.receive(SOON);
  while (await next() !== undefined);
  let asked = 0;
  let counts: SessionCounts | undefined;
  while (counts === undefined) {
    // It may be over the rate, and it may be dropped as well.
    await socket.send(encodeQuestion({ asksForCounts: true }));
    asked++;
    counts = (await next())?.counts;
  }
  const { received, answered, limited, dropped, duplicates } = counts;
  assert(dropped! > 0, `${dropped}`);
  const others = received + dropped! - count;
  assert(others >= 0 && others < asked, `${others} of ${asked}`);
  assertEquals(answered + limited, received);
  assertEquals(duplicates, 0);
});

Deno.test("runs are answered in runs, with a number for each, in order", async () => {
  const carrier = offload();
  await using reflector = reflect(LOOPBACK, { carrier, allow: ["127.0.0.1"] });
  await using socket = await connect(reflector.addr, { carrier });
  const size = 100;
  const question = (number: number) =>
    encodeQuestion({ number, size: size - 10 });
  const answer = encodeAnswer(question(0), { number: 0, receivedMs: 1 });
  let asked = 0;
  for (const length of [64, 1, 128, 3]) {
    // The last one of a run is shorter, and some are no questions.
    const run = new Uint8Array(length * size - 10);
    let answers = 0;
    for (let i = 0; i < length; i++) {
      const isQuestion = i % 7 !== 3;
      run.set(isQuestion ? question(asked + answers++) : answer, i * size);
    }
    await socket.sendRun(run, size);
    for (let i = 0; i < answers; i++) {
      const { data } = await socket.receive(SOON);
      const { number, question } = decodeAnswer(data)!;
      assertEquals([number, question.number], [asked, asked++]);
    }
  }
  assertEquals(reflector.stats.answered, asked);
});

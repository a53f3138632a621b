/** What deno task measure prints, writes, and refuses, over loopback. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind } from "../../mod.ts";
import { reflect, type Reflector } from "../../lib/measure.ts";
import { tcp } from "../../lib/carriers/tcp.ts";
import { until } from "../support/helpers.ts";
import { fullDisk } from "./support/full_disk.ts";
import { Process, Program, type Result, run } from "./support/programs.ts";

const MEASURE = "lib/programs/measure.ts";
const SHORT = ["--duration", "300ms", "--wait", "300ms"];

/** A test with a reflector, its address, and a folder of its own. */
function test(
  promise: string,
  body: (to: string, folder: string, reflector: Reflector) => Promise<void>,
): void {
  Deno.test(promise, async () => {
    const folder = await Deno.makeTempDir();
    await using reflector = reflect("udp://127.0.0.1:0");
    try {
      await body(`127.0.0.1:${reflector.addr.port}`, folder, reflector);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** The result of a program with `--format json`. */
function resultOf({ stdout }: Result) {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, n) => total + n, 0);
}

/** The code of a run without assertions: on a busy machine nothing may be in time. */
function codeOf({ received, lost }: ReturnType<typeof resultOf>): number {
  return lost.ownSend > 0 ? 4 : received === 0 ? 3 : 0;
}

/** Sends Ctrl-C; a program that has just ended does not get it. */
function interrupt(program: Program): void {
  try {
    program.kill("SIGINT");
  } catch {
    // It has ended.
  }
}

const writing = (folder: string) => ({
  flags: ["--allow-net=127.0.0.1", `--allow-write=${folder}`],
});

test("measure prints a line per second, and a summary that fits a screen", async (to) => {
  const args = [to, "--duration", "1200ms", "--wait", "500ms", "--one-way"];
  const { code, stdout, stderr } = await run(MEASURE, args);
  assert([0, 3].includes(code), stderr);
  assertEquals(stderr, `measuring udp://${to}\n`);
  const lines = stdout.trimEnd().split("\n");
  const first = lines.findIndex((line) => line.startsWith(`udp://${to}`));
  assertMatch(lines[0]!, /^ +time +sent +answered +waiting +p50 ms /);
  assert(first >= 2, stdout);
  for (const line of lines.slice(1, first)) assertMatch(line, /^ +\d+\.\d s /);
  assert(lines.length - first < 24);
  assertMatch(stdout, /^lost +sending +there +reflector +back /m);
  assertMatch(stdout, /^(valid|INVALID): /m);
  for (const line of lines) assert(line.length <= 80, line);
});

test("measure --format json: an object per line, the last the result, which adds up", async (to) => {
  const ended = await run(MEASURE, [to, ...SHORT, "--format", "json"]);
  const all = ended.stdout.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  const result = all.pop();
  assertEquals(result.version, 1);
  assertEquals(ended.code, codeOf(result), ended.stderr);
  assert(all.length > 0 && all.every(({ version }) => version === undefined));
  assertEquals(result.sent, 30);
  assertEquals(sum(result.lost), result.sent - result.received);
  const total = (name: string) => all.reduce((sum, one) => sum + one[name], 0);
  assertEquals(total("sent"), result.sent);
  for (const name of ["min", "mean", "p50", "p90", "p99", "max"]) {
    assertEquals(typeof result.rttMs[name], "number");
  }
  // A late run is said to be one, and only then.
  assertEquals(result.valid, result.invalid.length === 0);
});

test("measure --quiet prints the result alone, also as CSV", async (to) => {
  const quiet = [to, ...SHORT, "--quiet", "--format"];
  const [json, csv] = await Promise.all([
    run(MEASURE, [...quiet, "json"]),
    run(MEASURE, [...quiet, "csv"]),
  ]);
  assertEquals([json.stderr, json.stdout.split("\n").length], ["", 2]);
  assertEquals(resultOf(json).version, 1);
  const [header = "", total = "", end] = csv.stdout.split("\n");
  assertMatch(header, /^what,start_ms,/);
  assertMatch(total, /^total,0,/);
  assertEquals(total.split(",").length, header.split(",").length);
  assertEquals(end, "");
});

test(
  "measure --packets and --plot write what the result says",
  async (to, folder) => {
    const [packets, plot] = [`${folder}/p.csv`, `${folder}/p.svg`];
    const files = ["--packets", packets, "--plot", plot, "--format", "json"];
    const ended = await run(MEASURE, [to, ...SHORT, ...files], writing(folder));
    const result = resultOf(ended);
    assertEquals(ended.code, codeOf(result), ended.stderr);
    assertEquals(
      ended.stderr,
      `measuring udp://${to}\nwrote ${result.sent} packets\n`,
    );
    const text = await Deno.readTextFile(packets);
    const [, ...lines] = text.trimEnd().split("\n");
    assertEquals(lines.length, result.sent);
    const answered = lines.filter((line) => line.endsWith(",answered"));
    assertEquals(answered.length, result.received);
    assertMatch(await Deno.readTextFile(plot), /^<svg [^]*<\/svg>\n$/);
  },
);

test(
  "measure never replaces a file, and leaves none behind if it fails",
  async (to, folder) => {
    const path = `${folder}/file`;
    await Deno.writeTextFile(path, "mine");
    for (const other of [[], ["--plot", `${folder}/new`]]) {
      const args = [to, ...SHORT, ...other, "--packets", path];
      const { code, stdout, stderr } = await run(
        MEASURE,
        args,
        writing(folder),
      );
      assertEquals([code, stdout], [2, ""]);
      assertEquals(
        stderr,
        `Cannot write --packets "${path}": the file exists; remove it, or give another name\n`,
      );
    }
    assertEquals(await Deno.readTextFile(path), "mine");
    const unknown = await run(MEASURE, [
      ...["no-such.invalid:9", "--packets", `${folder}/p.csv`],
      ...["--plot", `${folder}/p.svg`],
    ], { flags: ["--allow-net", `--allow-write=${folder}`] });
    assertEquals([unknown.code, unknown.stdout.split("\n").length], [2, 2]);
    assertMatch(unknown.stderr, /^measuring [^\n]+\nCannot connect [^\n]+\n$/);
    const files = await Array.fromAsync(Deno.readDir(folder));
    assertEquals(files.map(({ name }) => name), ["file"]);
  },
);

test("measure goes on when the disk is full, says it once, and counts", async (to) => {
  await using disk = await fullDisk(":");
  const file = `${disk.folder}/p.csv`;
  const files = ["--packets", file, "--plot", `${disk.folder}/p.svg`];
  const args = [to, ...SHORT, ...files, "--rate", "1000/s"];
  const json = ["--format", "json"];
  const { code, stdout, stderr } = await run(MEASURE, [...args, ...json], {
    ...writing(disk.folder),
    under: disk.under,
  });
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assertEquals(code, codeOf(result), stderr);
  assertMatch(
    stderr,
    /^measuring [^\n]*\nCannot write --packets "[^\n]*packets that are not written are counted\nCannot write --plot "[^\n]*\nwrote \d+ packets, \d+ not written\n$/,
  );
});

test("measure --assert exits 5 with one line per condition that fails", async (to) => {
  const args = [to, ...SHORT, "--quiet", "--format", "json", "--assert"];
  const [fails, holds] = await Promise.all([
    run(MEASURE, [...args, "loss<=100%,loss<0%,min<0us"]),
    run(MEASURE, [...args, "loss<=100%"]),
  ]);
  assertEquals(fails.code, 5);
  const said = fails.stderr.trimEnd().split("\n");
  assertMatch(said[0]!, /^assertion failed: loss<0%, measured: loss [\d.]+%$/);
  assertMatch(said[1]!, /^assertion failed: min<0us, measured: min /);
  const result = resultOf(holds);
  // A run that was late cannot pass.
  assertEquals(holds.code, result.valid ? codeOf(result) : 5);
  assertEquals(/run is invalid/.test(holds.stderr), !result.valid);
});

Deno.test("measure exits 3 if nobody answers, and says that all is lost", async () => {
  const deaf = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const to = `127.0.0.1:${(deaf.addr as Deno.NetAddr).port}`;
  const [ended, search] = await Promise.all([
    run(MEASURE, [to, ...SHORT, "--format", "json"]),
    run(MEASURE, [to, "--search", "--trial", "200ms", "--wait", "200ms"]),
  ]);
  deaf.close();
  const result = resultOf(ended);
  assertEquals([ended.code, result.received], [3, 0]);
  assertEquals(sum(result.lost), result.sent);
  assertEquals(search.code, 3);
  assertMatch(search.stdout, /no rate passed\n$/);
});

test("measure --search tries the given rate first, and prints JSON line by line", async (to) => {
  const { code, stdout, stderr } = await run(MEASURE, [
    ...[to, "--search", "--rate", "50/s", "--trial", "400ms"],
    ...["--wait", "300ms", "--format", "json"],
  ]);
  const all = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const result = all.pop();
  assertEquals([result.version, result.trials], [1, all]);
  assertEquals(all[0].rate, 50);
  assertEquals(code, result.confirmed ? 0 : 3, stderr);
});

test(
  "Ctrl-C ends a measurement with the result so far",
  async (to, _, reflector) => {
    for (const search of [[], ["--search"]]) {
      const args = ["--wait", "200ms", "--format", "json", ...search];
      const long = search.length > 0 ? ["--trial", "1h"] : ["--duration", "1h"];
      await using program = new Program(MEASURE, [to, ...long, ...args]);
      const before = reflector.stats.answered;
      await until(() => reflector.stats.answered >= before + 10);
      program.kill("SIGINT");
      const ended = await program.ended();
      assertEquals(ended.code, 0, ended.stderr);
      const result = resultOf(ended);
      assertEquals(result.version, 1);
      if (search.length > 0) assertEquals(result.confirmed, false);
      else assert(result.sent >= 10);
    }
  },
);

Deno.test("a measurement that is interrupted before its socket is open leaves nothing behind", async () => {
  await using silent = bind("127.0.0.1:0");
  const folder = await Deno.makeTempDir();
  const files = ["--packets", `${folder}/a`, "--plot", `${folder}/b`];
  const to = `quic://127.0.0.1:${silent.addr.port}`;
  await using program = new Program(MEASURE, [to, ...files, "--quiet"], {
    flags: ["-A"],
  });
  // Its handshake has begun.
  await silent.receive();
  program.kill("SIGINT");
  const { code, stdout, stderr } = await program.ended();
  assertEquals([code, stdout, stderr], [0, "", ""]);
  assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder);
});

test("a second Ctrl-C ends a measurement at once", async (to, _, reflector) => {
  const args = [to, "--duration", "1h", "--wait", "1h", "--rate", "10/s"];
  await using program = new Program(MEASURE, args);
  await until(() => reflector.stats.answered > 0);
  program.kill("SIGINT");
  const ending = program.ended();
  let hasEnded = false;
  ending.then(() => hasEnded = true);
  // Those that come together count as one.
  await until(() => {
    if (!hasEnded) interrupt(program);
    return hasEnded;
  });
  assertEquals((await ending).code, 130);
});

test("a measurement that cannot be printed ends, or judges what was asserted", async (to) => {
  const deno = `'${Deno.execPath()}' run --quiet --no-prompt -A ${MEASURE}`;
  const judged = "--duration 300ms --wait 300ms --assert 'loss<0%'";
  const cases = [
    ["| :", "--duration 1h", 0],
    ["| :", judged, 5],
    ["> /dev/full", "--duration 1h", 2],
    ["> /dev/full", judged, 5],
  ] as const;
  await Promise.all(cases.map(async ([where, options, wanted]) => {
    const command = `${deno} ${to} ${options} --rate 20/s`;
    const line = `{ ${command}; echo "code $?" >&2; } ${where}`;
    await using shell = new Process("bash", ["-c", line]);
    const { stderr } = await shell.ended();
    assertMatch(stderr, new RegExp(`^code ${wanted}$`, "m"));
  }));
});

Deno.test("measure without permission prints a command that works", async () => {
  const args = ["0.0.0.1:9", "--packets", "p.csv", "--plot", "p.svg"];
  const { code, stdout, stderr } = await run(MEASURE, args, { flags: [] });
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    "Cannot measure the path without permission; run: deno run --allow-net=0.0.0.0:0,0.0.0.1:9 --allow-write=p.csv,p.svg --allow-run=cat lib/programs/measure.ts 0.0.0.1:9 --packets p.csv --plot p.svg\n",
  );
});

for (
  const [args, says] of [
    [[], "ADDRESS is missing, such as 127.0.0.1:62862"],
    [[":1", ":2"], "expected one ADDRESS, got 2"],
    [[":0"], "Invalid address"],
    [["unix:/tmp/x"], '"unix:/tmp/x": a unix: server cannot reply'],
    [[":9", "--rate", "0"], '--rate "0": must be a rate, such as 1000/s or'],
    [[":9", "--size", "43"], '--size "43": must be lengths from 44 to 65507'],
    [[":9", "--duration", "0s"], '--duration "0s": must be a time from 1ms'],
    [[":9", "--omit", "x"], '--omit "x": must be a time'],
    [[":9", "--wait", "1"], '--wait "1": must be a time'],
    [[":9", "--burst", "0"], '--burst "0": must be a whole number from 1'],
    [[":9", "--format", "xml"], '--format "xml": must be one of text, json'],
    [[":9", "--packets", ""], '--packets "": must be a path'],
    [[":9", "--plot", ""], '--plot "": must be a path'],
    [[":9", "--assert", "p99<20"], '--assert "p99<20": the unit of p99 must'],
    [[":9", "--assert", "x<1%"], '--assert "x<1%": the name must be one of'],
    [[":9", "--max-loss", "1%"], "--max-loss needs --search"],
    [[":9", "--trial", "1s"], "--trial needs --search"],
    [
      [":9", "--search", "--max-loss", "1"],
      '--max-loss "1": must be from 0% to below 100%, such as 0.1%',
    ],
    [[":9", "--search", "--assert", "loss<1%"], "--search and --assert: give"],
    [[":9", "--search", "--duration", "1s"], "--search and --duration: give"],
    [[":9", "--search", "--format", "csv"], "--search: its --format must be"],
    [
      ["tcp://127.0.0.1:9", "--framing", "line"],
      '--framing "line": must be one of length, octet, which carry binary',
    ],
    [[":9", "--framing", "line"], "--framing is for tcp:// and tls:// addre"],
    [["quic://127.0.0.1:9", "--fast"], "--fast is for udp:// addresses"],
    [[":9", "--rate", "1e9/s"], '--rate "1e9/s": must be a rate'],
    [[":9", "--rate", "900000000/s"], "Cannot measure: waitMs must be at most"],
    [[":9", "--nonsense"], 'unknown option "--nonsense"'],
  ] as const
) {
  Deno.test(`measure ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run(MEASURE, [...args]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, /^[^\n]+\n$/);
    assert(stderr.startsWith(says), stderr);
  });
}

test("measure travels over tcp:// too, framed so that any bytes pass", async () => {
  const carrier = tcp({ framing: "length" });
  await using reflector = reflect("tcp://127.0.0.1:0", { carrier });
  const to = `tcp://127.0.0.1:${reflector.addr.port}`;
  const ended = await run(MEASURE, [to, ...SHORT, "--format", "json"]);
  const result = resultOf(ended);
  assertEquals(ended.code, codeOf(result), ended.stderr);
  assertEquals([result.to, result.lost.ownSend], [to, 0]);
});

test("measure --fast has the system's times of arrival", async (to) => {
  const args = [to, ...SHORT, "--fast", "--format", "json"];
  const flags = ["--allow-net=127.0.0.1", "--allow-ffi"];
  const result = await run(MEASURE, args, { flags });
  const { received, timeStamps, rttMs } = resultOf(result);
  assert(received > 0, result.stderr);
  assertEquals(timeStamps, "system");
  assert(rttMs.min >= 0);
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CARRIERS } from "../../bench/lib/carriers.ts";
import { chart } from "../../bench/lib/chart.ts";
import {
  allPoints,
  idOf,
  SERIES,
  type Series,
} from "../../bench/lib/curves.ts";
import { Child } from "../../bench/lib/child.ts";
import type { Start } from "../../bench/lib/group.ts";
import { IMPLEMENTATIONS } from "../../bench/lib/implementations.ts";
import { GROUPS, select } from "../../bench/lib/groups.ts";
import { markdown } from "../../bench/lib/markdown.ts";
import { type Outcome, readOutcome } from "../../bench/lib/outcome.ts";
import { run } from "./support/programs.ts";

const LOSSY = ["udp", "quic"];

/**
 * Runs the benchmarks briefly, by default without any program on the path: that
 * they run and add up is tested here, not what they measure.
 */
async function bench(args: string[], path?: string, rounds = 1) {
  const folder = await Deno.makeTempDir();
  try {
    const json = `${folder}/results/all.json`;
    const { code, stdout, stderr } = await run(
      "bench/all.ts",
      [
        ...["--rounds", `${rounds}`, "--seconds", "0.1", "--patience", "0"],
        ...["--json", json, ...args],
      ],
      {
        flags: [
          ...["--allow-sys=cpus,osRelease", "--allow-net=127.0.0.1"],
          ...["--allow-run", `--allow-write=${folder},tmp/bench`],
        ],
        env: { PATH: path ?? folder },
      },
    );
    return {
      ...{ code, stdout, stderr },
      outcome: await readOutcome(json).catch(() => undefined),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the benchmarks and checks that each row was measured in each round. */
async function measured(args: string[], path?: string, rounds = 1) {
  const { code, stdout, stderr, outcome } = await bench(args, path, rounds);
  assertEquals(code, 0, stderr);
  assert(outcome !== undefined);
  for (const { id } of outcome.rows) {
    const figures = outcome.figures[id]!;
    assertEquals(figures.length, rounds, id);
    assert(figures.flatMap(Object.values).every(Number.isFinite), id);
  }
  assertEquals(stdout.trim(), markdown(outcome));
  return { stdout, outcome };
}

function labels({ rows }: Outcome): string[] {
  return rows.map(({ group, label }) => `${group}: ${label}`);
}

Deno.test("a short run of the benchmarks shows what it measured and names what it could not", async () => {
  const only = "pairs,round-trip,100,raw,pli,offload,node,c";
  const { stdout, outcome } = await measured(["--only", only], undefined, 2);
  const all = labels(outcome);
  assert(all.includes("round-trip: Deno.DatagramConn"), stdout);
  assert(all.includes("round-trip: Pli"), stdout);
  for (const batches of ["batches", "batches, reuse"]) {
    const label = `pairs: Pli over offload, sendMany → ${batches}`;
    assert(all.includes(label), stdout);
    assert(all.includes(`${label}, reading a byte`), stdout);
  }
  assertMatch(stdout, /^### Round trips, .*, 100 bytes$/m);
  assertMatch(stdout, /^\| Pli +\| +[\d.]+ \| +[\d.]+ \([\d.]+–[\d.]+\) \|/m);
  assertMatch(stdout, /^\| default \/ raw Deno.* (passed|missed) \|$/m);
  assertMatch(stdout, /^\| default \/ Node.* not measured \|$/m);
  for (const [name, command] of [["node", "node"], ["c", "cc"]]) {
    const reason =
      `${command} is not installed, or --allow-run does not name it`;
    const line = `- everything that needs ${name}: ${reason}\n`;
    assert(stdout.includes(line), stdout);
  }
  const drawn = chart(outcome);
  for (const { label } of outcome.rows) {
    assert(drawn.includes(`>${label}</text>`));
  }
});

Deno.test("a good peer is measured alone and beside bad peers, to the library and to the program", async () => {
  assert(select([]).every(({ group }) => group !== "bad-peers"));
  const { stdout, outcome } = await measured(["--only", "bad-peers,tcp"]);
  assertEquals(labels(outcome), [
    "bad-peers: TCP, length, library",
    "bad-peers: TCP, length, program",
  ]);
  assertMatch(stdout, /TCP, length, program, p99 .* <= 2 \|  *\d+\.\d/);
});

Deno.test("carriers are measured on request, and those that never lose messages deliver all of them", async () => {
  assert(select([]).every(({ group }) => group !== "carriers"));
  const { stdout, outcome } = await measured(["--only", "carriers,100"]);
  assertEquals(outcome.missing, []);
  assertEquals(
    outcome.rows.map(({ label }) => label),
    Object.values(CARRIERS).map(({ label }) => label),
  );
  for (const carrier of Object.keys(CARRIERS)) {
    for (const { arrived = NaN } of outcome.figures[`over ${carrier}, 100`]!) {
      if (LOSSY.includes(carrier)) assert(arrived > 0 && arrived <= 1, stdout);
      else assertEquals(arrived, 1, carrier);
    }
  }
  assertMatch(stdout, /^\| TLS, length .* 100.0 % \|$/m);
});

Deno.test("the relay and the store are groups of the same run, with targets of their own", async () => {
  const { stdout, outcome } = await measured(
    ["--only", "relay,store"],
    Deno.env.get("PATH"),
  );
  assertEquals(outcome.missing, []);
  assertEquals(
    labels(outcome),
    select(["relay", "store"]).map(({ group, label }) => `${group}: ${label}`),
  );
  assertMatch(stdout, /^\| relay, slower direction.* (passed|missed) \|$/m);
  for (
    const { sent = NaN, storedShare = NaN, lost = NaN } of outcome
      .figures["store plain, 50000"]!
  ) {
    assert(
      sent > 0 && storedShare > 0 && storedShare <= 1 && lost >= 0,
      stdout,
    );
  }
});

Deno.test("a group whose broker is not installed costs one line, and nothing of the others", async () => {
  const alone = await bench(["--only", "nats"]);
  const line =
    "everything that needs nats-server: nats-server is not installed, or --allow-run does not name it";
  assertEquals(
    [alone.code, alone.stdout, alone.stderr],
    [1, "", `Cannot measure: ${line}\n`],
  );
  const { stdout, outcome } = await measured(["--only", "nats,relay,raw,pli"]);
  assert(outcome.rows.every(({ group }) => group === "relay"));
  assert(outcome.rows.length > 0);
  assert(stdout.includes(`### Missing\n\n- ${line}\n`), stdout);
  assert(!stdout.includes("NATS"), stdout);
});

Deno.test("the benchmarks reject bad options in one line before they measure", async () => {
  const usage = "; --help shows the usage";
  for (
    const [args, line] of [
      [
        ["--rounds", "0"],
        `--rounds must be a whole number from 1 to 1000: given "0"${usage}`,
      ],
      [
        ["--seconds", "x"],
        `--seconds must be a number from 0.1 to 60: given "x"${usage}`,
      ],
      [["--patience"], `--patience needs a value${usage}`],
      [["--only", "100,fast"], `--only: unknown filter "fast"${usage}`],
      [["--only", "start-up,tcp"], "nothing matches --only start-up,tcp"],
      [["--turbo"], `unknown argument "--turbo"${usage}`],
      [["relay"], `unknown argument "relay"${usage}`],
    ] as const
  ) {
    const { code, stdout, stderr } = await run("bench/all.ts", [...args], {
      flags: [],
    });
    assertEquals(
      [code, stdout, stderr],
      [1, "", `Cannot measure: ${line}\n`],
    );
  }
});

Deno.test("a file that cannot be written is rejected in one line before anything is measured", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/taken`;
    await Deno.writeTextFile(path, "kept");
    for (
      const [json, allowed, reason] of [
        [`${path}/results.json`, folder, "File exists"],
        [folder, `${folder},${folder}/..`, "Is a directory"],
        [path, "tmp/bench", "Requires write access to "],
      ] as const
    ) {
      const { code, stdout, stderr } = await run(
        "bench/all.ts",
        ["--json", json],
        { flags: [`--allow-write=${allowed}`] },
      );
      assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2]);
      const line =
        `Cannot measure: --json ${json} cannot be written: ${reason}`;
      assert(stderr.startsWith(line), stderr);
    }
    assertEquals(await Deno.readTextFile(path), "kept");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the help of the benchmarks lists every group and fits on a screen", async () => {
  const help = await run("bench/all.ts", ["--help"], { flags: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const { name, title } of GROUPS) {
    assertMatch(help.stdout, new RegExp(`^  ${name} +${title}`, "m"));
  }
  const lines = help.stdout.split("\n");
  assert(lines.length <= 40 && lines.every(({ length }) => length <= 80));
});

Deno.test("start-up is compared with bare Deno, and two workers with one", async () => {
  const only = ["start-up", "workers", "raw", "pli", "offload"];
  const { outcome, stdout } = await measured(
    ["--only", only.join(",")],
    Deno.env.get("PATH"),
  );
  assertEquals(outcome.missing, []);
  assertEquals(
    labels(outcome),
    select(only).map(({ group, label }) => `${group}: ${label}`),
  );
  assertMatch(stdout, /^\| Pli \/ Deno.*, start-up .* (passed|missed) \|$/m);
  for (const { evenness = NaN } of outcome.figures["workers 2, runs"]!) {
    assert(evenness > 0 && evenness <= 1, stdout);
  }
});

Deno.test("one point of each curve is measured", async () => {
  const point = { ...allPoints()[0]!, rate: 10_000, peers: 1 };
  const programs = {
    mmsg: await IMPLEMENTATIONS.mmsg(),
    gso: await IMPLEMENTATIONS.gso(),
    pli: await IMPLEMENTATIONS.pli(),
    offload: await IMPLEMENTATIONS.offload(),
  };
  const start: Start = (name, ...args) =>
    new Child([...programs[name as keyof typeof programs].command, ...args]);
  for (const series of Object.keys(SERIES) as Series[]) {
    const [measured] = select(["curves"])
      .filter(({ id }) => id === idOf(series, point));
    const figures = await measured!.measure(start, 0.1);
    const { micros = NaN, bytes = NaN, perSecond = NaN } = figures;
    assert(micros > 0 && bytes > 1e6 && perSecond > 0, series);
  }
});

Deno.test("1,000 peers are told apart, and every byte that they sent is checked", async () => {
  const { outcome, stdout } = await measured(
    ["--only", "from-many,to-many,raw,pli,offload,mmsg"],
    Deno.env.get("PATH"),
  );
  assertEquals(outcome.missing, []);
  assertEquals(
    labels(outcome),
    select(["from-many", "to-many", "raw", "pli", "offload", "mmsg"])
      .map(({ group, label }) => `${group}: ${label}`),
  );
  assertMatch(stdout, /^\| offload, sendMany \/ Bun, to 1,000.* not measured/m);
});

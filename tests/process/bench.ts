import { assert, assertEquals, assertMatch } from "@std/assert";
import { cases } from "../../bench/lib/cases.ts";
import { chart } from "../../bench/lib/chart.ts";
import { markdown } from "../../bench/lib/markdown.ts";
import { type Outcome, readOutcome } from "../../bench/lib/outcome.ts";
import { CARRIERS } from "../../bench/lib/peers.ts";
import { ratio } from "../../bench/lib/report.ts";
import { median, Results } from "../../bench/lib/results.ts";
import { run } from "./support/programs.ts";

const ONLY = "pairs,round-trip,100,raw,pli,offload,node,c";
const RESULTS = "bench/results/2026-11-24.json";
const CARRIED = "bench/results/2026-11-24-carriers.json";
const UDP = "over udp, 100";
// The rows of docs/carriers.md that were measured.
const ON_PAGE = {
  QUIC: "quic",
  "QUIC, reliable": "quic-reliable",
  "TCP, `line`": "tcp-line",
  "TCP, `length`": "tcp",
  TLS: "tls",
};
const LOSSY = ["udp", "quic"];

/** A short run. There are no programs on its path, so some are missing. */
async function bench(...args: string[]) {
  const folder = await Deno.makeTempDir();
  try {
    const json = `${folder}/results/all.json`;
    const { code, stdout, stderr } = await run(
      "bench/all.ts",
      [
        "--rounds",
        "2",
        "--seconds",
        "0.1",
        "--patience",
        "0",
        "--json",
        json,
        ...args,
      ],
      {
        flags: [
          ...["--allow-sys=cpus,osRelease", "--allow-run"],
          ...[`--allow-write=${folder},tmp/bench`],
        ],
        env: { PATH: folder },
      },
    );
    assertEquals(code, 0, stderr);
    return { stdout, outcome: await readOutcome(json) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function assertWhole({ rows, figures }: Outcome): void {
  for (const { id } of rows) {
    const rounds = figures[id]!;
    assertEquals(rounds.length, 2, id);
    assert(rounds.flatMap(Object.values).every(Number.isFinite), id);
  }
}

Deno.test("a short run of the benchmarks measures who is there and names who is not, in tables and in JSON", async () => {
  const { stdout, outcome } = await bench("--only", ONLY);
  const labels = outcome.rows.map(({ group, label }) => `${group}: ${label}`);
  assert(labels.includes("round-trip: Deno.DatagramConn"), stdout);
  assert(labels.includes("round-trip: Pli"), stdout);
  for (const batches of ["batches", "batches, reuse"]) {
    const label = `pairs: Pli over offload, sendMany → ${batches}`;
    assert(labels.includes(label), stdout);
    assert(labels.includes(`${label}, reading a byte`), stdout);
  }
  assertWhole(outcome);
  assertMatch(stdout, /^### Round trips, .*, 100 bytes$/m);
  assertMatch(stdout, /^\| Pli +\| +[\d.]+ \| +[\d.]+ \([\d.]+–[\d.]+\) \|/m);
  assertMatch(stdout, /^\| default \/ raw Deno.* (reached|missed) \|$/m);
  assertMatch(stdout, /^\| default \/ Node.* not measured \|$/m);
  assertEquals(stdout.trim(), markdown(outcome));
  for (
    const [what, command] of [["node", "node"], ["c", "cc"]]
  ) {
    const reason = `${command} is not there, or may not be run`;
    assert(stdout.includes(`- all of ${what}: ${reason}\n`), stdout);
  }
  const drawn = chart(outcome);
  for (const { label } of outcome.rows) {
    assert(drawn.includes(`>${label}</text>`));
  }
});

Deno.test("the carriers are measured when they are named, and those that lose nothing bring all that was sent", async () => {
  assert(cases([]).every(({ group }) => group !== "carriers"));
  const { stdout, outcome } = await bench("--only", "carriers,100");
  assertEquals(outcome.missing, []);
  assertEquals(
    outcome.rows.map(({ label }) => label),
    Object.values(CARRIERS),
  );
  assertWhole(outcome);
  for (const carrier of Object.keys(CARRIERS)) {
    for (const { arrived } of outcome.figures[`over ${carrier}, 100`]!) {
      if (LOSSY.includes(carrier)) assert(arrived > 0 && arrived <= 1, stdout);
      else assertEquals(arrived, 1, carrier);
    }
  }
  assertMatch(stdout, /^\| TLS, length .* 100.0 % \|$/m);
  assertEquals(stdout.trim(), markdown(outcome));
});

Deno.test("the benchmarks say in one line what is wrong with an option", async () => {
  for (
    const [args, line] of [
      [["--rounds", "0"], "--rounds is a whole number from 1 to 1000, not 0"],
      [["--seconds", "x"], "--seconds is a number from 0.1 to 60, not x"],
      [["--only", "100,fast"], /^Cannot measure: --only takes .*, not fast;/],
      [["--turbo"], "there is no --turbo here"],
    ] as const
  ) {
    const { code, stdout, stderr } = await run("bench/all.ts", [...args], {
      flags: [],
    });
    assertEquals([code, stdout, stderr.trim().split("\n").length], [1, "", 1]);
    if (typeof line !== "string") assertMatch(stderr, line);
    else {
      assertEquals(
        stderr,
        `Cannot measure: ${line}; --help shows the usage\n`,
      );
    }
  }
});

Deno.test("docs/performance.md shows the results that are kept, and their chart", async () => {
  const outcome = await readOutcome(RESULTS);
  const carried = await readOutcome(CARRIED);
  const page = await Deno.readTextFile("docs/performance.md");
  // Lines are broken differently there.
  const words = (text: string) => text.split(/[\s-]+/).join(" ");
  for (
    const part of [outcome, carried].map(markdown).join("\n\n").split("\n\n")
  ) {
    assert(words(page).includes(words(part)), part);
  }
  const svg = await Deno.readTextFile("docs/performance.svg");
  assert(
    svg === chart(outcome),
    `bench/show.ts chart ${RESULTS} shows another`,
  );
});

Deno.test("docs/carriers.md shows what each carrier costs beside UDP, from the results that are kept", async () => {
  const { figures, machine } = await readOutcome(CARRIED);
  const results = new Results(figures);
  const page = await Deno.readTextFile("docs/carriers.md");
  const [cpu, , , date] = machine.split(" · ");
  assert(page.includes(cpu) && page.includes(date), machine);
  for (const [name, carrier] of Object.entries(ON_PAGE)) {
    const [micros, rate] = ["bothMicros", "received"].map((figure) =>
      ratio(median(results.ratios(figure, `over ${carrier}, 100`, UDP)))
    );
    const line = page.split("\n").find((line) =>
      line.startsWith(`| ${name} `) && line.includes(" CPU, ")
    );
    assertMatch(line!, new RegExp(`\\| ${micros} CPU, ${rate} rate +\\|$`));
  }
});

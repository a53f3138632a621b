/** How a server ends: with its totals, by one signal or two. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { connect } from "../../mod.ts";
import { Process, type Result, startServer } from "./support/programs.ts";
import { SOON, until } from "../support/helpers.ts";

const ALL = { flags: ["-A"] };
// Nobody listens there.
const AWAY = ["--publish", "nats://127.0.0.1:1/a.b"];
const JSON_EACH = ["--format", "json", "--stats-every", "20ms"];

function totals({ stderr }: Result) {
  return JSON.parse(stderr.match(/^\{.*\}$/gm)!.at(-1)!);
}

Deno.test("server whose broker is away says what is lost, with its totals, after --end-timeout", async () => {
  const args = [...AWAY, ...JSON_EACH, "--end-timeout"];
  await using patient = await startServer([...args, "1h"], ALL);
  await using server = await startServer([...args, "300ms"], ALL);
  let isPatient = true;
  patient.ended().then(() => isPatient = false);
  for (const each of [patient, server]) {
    await using client = await connect(each.address);
    for (const text of ["a", "b", "c"]) await client.send(text);
    await each.said(/"received":3\b/);
    each.kill("SIGTERM");
  }
  const result = await server.ended();
  assertEquals([result.code, isPatient], [0, true]);
  assertMatch(result.stderr, /did not acknowledge 3 messages: lost$/m);
  const { lost, waiting } = totals(result).sinks.nats;
  assertEquals([lost, waiting], [3, 0]);
});

for (
  const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const
) {
  Deno.test(`server ends at once by a second signal, with its totals: ${signal} ${code}`, async () => {
    const args = [...AWAY, ...JSON_EACH, "--end-timeout", "1h"];
    await using server = await startServer(args, ALL);
    await using client = await connect(server.address);
    await client.send("x");
    await server.said(/"received":1\b/);
    server.kill(signal);
    await server.said(/^ending: .* a second signal ends at once$/);
    server.kill(signal);
    const result = await server.ended();
    assertEquals(result.code, code);
    assertMatch(result.stderr, /did not acknowledge 1 message: lost$/m);
    assertEquals(totals(result).received, 1);
  });
}

Deno.test("server prints its totals and exits 0 on SIGHUP", async () => {
  await using server = await startServer(["--format", "raw", "--echo"]);
  await using client = await connect(server.address);
  await client.request("ping", SOON);
  server.kill("SIGHUP");
  const { code, stdout, stderr } = await server.ended();
  assertEquals([code, stdout], [0, "ping"]);
  assertMatch(stderr, /^received 1 message \(4 bytes\)/m);
});

for (const sent of [100, 3000]) {
  Deno.test(`server receives what waits for it at the signal: ${sent} messages`, async () => {
    await using server = await startServer(["--format", "json"], ALL);
    await using client = await connect(server.address);
    server.kill("SIGSTOP");
    for (let n = 0; n < sent; n++) await client.send(`${n}`);
    server.kill("SIGTERM");
    server.kill("SIGCONT");
    const result = await server.ended();
    const { received, kernelDrops, dropped } = totals(result);
    assertEquals(received + kernelDrops + dropped.closed, sent);
    assertEquals(result.stdout.split("\n").length - 1, received);
    assert(received >= 100, `${received} received`);
  });
}

Deno.test("server --count counts what arrived after the last one as unread", async () => {
  await using server = await startServer(["--count", "2"], ALL);
  await using client = await connect(server.address);
  server.kill("SIGSTOP");
  for (let n = 0; n < 10; n++) await client.send("x");
  server.kill("SIGCONT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /^received 2 messages \(2 bytes\), 8 dropped unread at the end, 0 dropped by/m,
  );
});

Deno.test("server whose only sink is a terminal that stalls ends when it is told to", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const command = `'${Deno.execPath()}' run --quiet --no-prompt -A server.ts`;
    const line = `mkfifo ${folder}/out; exec 3<>${folder}/out; \
exec ${command} 127.0.0.1:0 --format json --stats-every 20ms >&3 3<&-`;
    await using server = new Process("bash", ["-c", line]);
    const [, address = ""] = await server.said(/^listening on (\S+)$/);
    await using client = await connect(address);
    const message = new Uint8Array(30_000).fill(0x78);
    // More than a pipe and the printer hold, so the system drops messages.
    let [dropped] = ["0"];
    while (dropped === "0") {
      for (let n = 0; n < 20; n++) await client.send(message);
      [, dropped = "0"] = await server.said(/"kernelDrops":(\d+)/);
    }
    server.kill("SIGTERM");
    const result = await server.ended();
    assertEquals(result.code, 0);
    const { received, sinks: { print } } = totals(result);
    assertEquals(print.printed + print.dropped, received);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("server whose store is locked counts and says at the end what it could not store", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/messages.db`;
    await using server = await startServer(
      ["--store", path, ...JSON_EACH],
      ALL,
    );
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await using client = await connect(server.address);
    for (let n = 0; n < 5; n++) await client.send("x");
    await server.said(/: another process has it locked; messages wait/);
    server.kill("SIGTERM");
    const result = await server.ended();
    assertEquals(result.code, 0);
    const { stored, notStored, waiting } = totals(result).sinks.store;
    assertEquals([stored, notStored, waiting], [0, 5, 0]);
    assertMatch(result.stderr, /^5 messages could not be stored in /m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("server whose terminal is closed prints its totals", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const said = () => Deno.readTextFileSync(`${folder}/said`);
    const command = `'${Deno.execPath()}' run --quiet --no-prompt -A server.ts`;
    const line = `exec ${command} 127.0.0.1:0 2>${folder}/said`;
    await Deno.writeTextFile(`${folder}/said`, "");
    await using terminal = new Process("script", ["-qec", line, "/dev/null"]);
    const listening = /listening on (\S+)\n/;
    await until(() => listening.test(said()));
    terminal.kill("SIGKILL");
    await until(() => said().split("\n").length > 2);
    assertMatch(said(), /^listening .*\nreceived 0 messages .*\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("signals that come together, as those of Ctrl-C under a task runner, are one", async () => {
  // They come at one time, however slow the machine is.
  const frozen = "data:text/javascript,performance.now=()=>0";
  await using server = await startServer([], {
    flags: ["--allow-net=127.0.0.1", "--preload", frozen],
  });
  server.kill("SIGINT");
  server.kill("SIGTERM");
  server.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0);
  assertMatch(stderr, /^received 0 messages/m);
});

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { bind, connect, type ConnectedSocket, serve } from "../../mod.ts";
import { Link, seedOf } from "../../lib/testing/link.ts";
import { until } from "../support/helpers.ts";
import { collector } from "../support/relays.ts";
import { Program } from "./support/programs.ts";

const RELAY = "lib/programs/relay.ts";
const NET = "--allow-net=127.0.0.1,localhost,[::1]";
const SENT = 10_000;
// The system's buffer holds about 256.
const BURST = 64;
const encoder = new TextEncoder();

/** Starts a relay on a free port, as a process. */
async function startRelay(to: string | Deno.NetAddr, ...args: string[]) {
  const server = typeof to === "string" ? to : `127.0.0.1:${to.port}`;
  const options = ["--listen", "127.0.0.1:0", "--to", server, ...args];
  const program = new Program(RELAY, options);
  const [, address = ""] = await program.said(
    /^relaying (\S+) to \S+ \(seed \d+\)$/,
  );
  return Object.assign(program, { address });
}

/** Sends messages in bursts; after each it waits for those that pass. */
async function sendAll(
  client: ConnectedSocket,
  messages: Uint8Array[],
  arrived: Uint8Array[],
  passes: (message: Uint8Array) => boolean,
): Promise<void> {
  let expected = 0;
  for (let sent = 0; sent < messages.length; sent += BURST) {
    const burst = messages.slice(sent, sent + BURST);
    for (const message of burst) await client.send(message);
    expected += burst.filter(passes).length;
    await until(() => arrived.length >= expected);
  }
}

/** Makes messages that differ in content and length. */
function messages(): Uint8Array[] {
  return Array.from(
    { length: SENT },
    (_, n) => encoder.encode(`${n} ${"x".repeat(n % 200)}`),
  );
}

Deno.test("relay --loss 100% passes nothing, and its totals count everything as lost", async () => {
  await using server = collector();
  await using relay = await startRelay(
    server.addr,
    ...["--loss", "100%", "--stats-every", "20ms"],
  );
  await using client = await connect(relay.address);
  for (let n = 0; n < 100; n++) await client.send(`${n}`);
  await relay.said(/^up: received 100 datagrams, forwarded 0, 100 lost$/);
  relay.kill("SIGINT");
  const { code, stdout } = await relay.ended();
  assertEquals([code, stdout, server.arrived], [0, "", []]);
});

Deno.test("relay --loss 0 passes 10,000 of 10,000, in order, to the byte", async () => {
  await using server = collector();
  await using relay = await startRelay(server.addr, "--loss", "0");
  await using client = await connect(relay.address);
  const sent = messages();
  await sendAll(client, sent, server.arrived, () => true);
  assertEquals(server.arrived, sent);
  relay.kill("SIGINT");
  const { stderr } = await relay.ended();
  assertStringIncludes(
    stderr,
    `\nup: received ${SENT} datagrams, forwarded ${SENT}\n` +
      "down: received 0 datagrams, forwarded 0\n1 client, dropped by the system: ",
  );
});

Deno.test("relay --loss 10% loses about 1,000 of 10,000, and its totals match both ends", async () => {
  await using server = collector();
  const args = ["--loss", "10%", "--seed", "7", "--format", "json"];
  await using relay = await startRelay(server.addr, ...args);
  await using client = await connect(relay.address);
  const sent = messages();
  const link = new Link(seedOf(7, "up 1"), { loss: 0.1 });
  const passing = new Set(
    sent.filter(({ length }) => link.cross(length, 0)[0].fate === "passed"),
  );
  await sendAll(
    client,
    sent,
    server.arrived,
    (message) => passing.has(message),
  );
  assertEquals(server.arrived, [...passing]);
  const lost = SENT - server.arrived.length;
  assert(lost >= 900 && lost <= 1100, `${lost} lost`);
  relay.kill("SIGINT");
  const { code, stdout } = await relay.ended();
  const { up } = JSON.parse(stdout);
  assertEquals([code, up.received, up.forwarded, up.lost], [
    0,
    client.stats.sent,
    server.arrived.length,
    lost,
  ]);
});

Deno.test("relay --format json prints the totals as one object, on standard output", async () => {
  await using server = serve("udp://127.0.0.1:0", ({ data }) => data);
  await using relay = await startRelay(
    server.addr,
    ...["--format", "json", "--duplicate", "100%"],
  );
  await using client = await connect(relay.address);
  await client.send("ping");
  for (let n = 0; n < 4; n++) await client.receive({ timeoutMs: 30_000 });
  relay.kill("SIGINT");
  const { stdout, stderr } = await relay.ended();
  assertMatch(stdout, /^[^\n]+\n$/);
  assertMatch(stderr, /^relaying [^\n]+\n$/);
  const { time, ...totals } = JSON.parse(stdout);
  assertEquals(new Date(time).toISOString(), time);
  const rest = {
    ...{ lost: 0, overMtu: 0, queueFull: 0, notSent: 0, inFlight: 0 },
    ...{ dropped: 0, corrupted: 0, reordered: 0, ruled: 0 },
  };
  assertEquals(totals, {
    up: { received: 1, duplicated: 1, forwarded: 2, ...rest },
    down: { received: 2, duplicated: 2, forwarded: 4, ...rest },
    sessions: 1,
    expired: 0,
    refused: 0,
    strangers: 0,
    kernelDrops: null,
  });
});

Deno.test("relay prints what the system dropped if it has the permission to know", async () => {
  for (const format of ["json", "text"]) {
    await using relay = new Program(RELAY, [
      ...["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
      ...["--format", format],
    ], { flags: [NET, "--allow-run=cat"] });
    await relay.said(/^relaying /);
    relay.kill("SIGTERM");
    const { code, stdout, stderr } = await relay.ended();
    assertEquals(code, 0);
    if (format === "json") assertEquals(JSON.parse(stdout).kernelDrops, 0);
    else assertStringIncludes(stderr, ", 0 datagrams dropped by the system\n");
  }
});

Deno.test("relay counts what the system drops on the way down, to the datagram", async () => {
  const answers = 3000;
  await using server = bind("udp://127.0.0.1:0");
  const args = [
    "--listen",
    "127.0.0.1:0",
    "--to",
    `127.0.0.1:${server.addr.port}`,
  ];
  await using relay = new Program(
    RELAY,
    [...args, "--idle", "1s", "--stats-every", "100ms"],
    { flags: [NET, "--allow-run=cat"] },
  );
  const [, address = ""] = await relay.said(/^relaying (\S+) to /);
  await using client = await connect(address);
  let to: Deno.NetAddr;
  // It reads nothing while the burst arrives, if it has not forgotten the client.
  for (;;) {
    await client.send("?");
    to = (await server.receive()).from;
    relay.kill("SIGSTOP");
    if (!isFree(to)) break;
    relay.kill("SIGCONT");
  }
  const burst = Array.from({ length: answers }, () => new Uint8Array(1000));
  await server.sendMany(burst.map((data) => ({ data, to })));
  relay.kill("SIGCONT");
  // The drops stay in the totals after the client was forgotten.
  await relay.said(/^0 clients, \d+ expired/);
  relay.kill("SIGINT");
  const { stderr } = await relay.ended();
  const [, received] = /^down: received (\d+) .*\n.*$/m.exec(
    lastLines(stderr, 2),
  )!;
  const [, dropped] = /(\d+)(?: datagrams?)? dropped by the system/.exec(
    lastLines(stderr, 1),
  )!;
  assert(Number(dropped) > 0);
  assertEquals(Number(received) + Number(dropped), answers);
});

function isFree(addr: Deno.NetAddr): boolean {
  try {
    bind(addr).close();
    return true;
  } catch {
    return false;
  }
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

for (
  const [quiet, says] of [["", /^relaying .*\nexit 0\n$/], [
    "--quiet",
    /^exit 0\n$/,
  ]] as const
) {
  Deno.test(`relay --stats-every ${quiet} prints a line of JSON each time, and ends with its reader`, async () => {
    const script = `{ "$0" run --no-prompt --allow-net=127.0.0.1 ${RELAY} \
--listen 127.0.0.1:0 --to 127.0.0.1:9 --format json --stats-every 10ms ${quiet}
echo "exit $?" >&2; } | head -n 3`;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath()],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const lines = decoder.decode(stdout).trimEnd().split("\n");
    const times = lines.map((line) => JSON.parse(line).time);
    assertEquals(times.length, 3);
    assertEquals(times, times.toSorted());
    assertMatch(decoder.decode(stderr), says);
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`relay prints its totals and exits 0 on ${signal}, also while it holds datagrams`, async () => {
    await using server = collector();
    await using relay = await startRelay(
      server.addr,
      ...["--delay", "1h", "--stats-every", "20ms"],
    );
    await using client = await connect(relay.address);
    await client.send("held");
    await relay.said(/^up: .*, forwarded 0, 1 in flight$/);
    relay.kill(signal);
    const { code, stderr } = await relay.ended();
    assertEquals(code, 0);
    assertMatch(
      stderr,
      /up: received 1 datagram, forwarded 0, 1 not sent\ndown: .*\n1 client, dropped by the system: unknown .*\n$/,
    );
  });
}

Deno.test("relay looks up the server's name, and prints the address", async () => {
  await using relay = new Program(RELAY, [
    ...["--listen", "127.0.0.1:0", "--to", "localhost:9"],
  ]);
  await relay.said(/ to udp:\/\/(127\.0\.0\.1|\[::1\]):9 \(seed 1\)$/);
  relay.kill("SIGINT");
  assertEquals((await relay.ended()).code, 0);
});

Deno.test("relay --max-sessions refuses more clients, and counts their datagrams", async () => {
  await using server = collector();
  await using relay = await startRelay(
    server.addr,
    ...["--max-sessions", "1", "--stats-every", "20ms"],
  );
  await using a = await connect(relay.address);
  await using b = await connect(relay.address);
  await a.send("a");
  await relay.said(/^1 client, dropped/);
  await b.send("b");
  await relay.said(/^1 client, 1 datagram refused, /);
});

Deno.test("relay --idle forgets a silent client, and counts it", async () => {
  await using server = collector();
  await using relay = await startRelay(
    server.addr,
    ...["--idle", "20ms", "--stats-every", "20ms"],
  );
  await using client = await connect(relay.address);
  await client.send("and no more");
  await relay.said(/^0 clients, 1 expired, /);
});

/** The server with --forward: what it says, refuses and counts, as a process. */
import { assertEquals, assertMatch } from "@std/assert";
import { tcp } from "../../lib/carriers/tcp.ts";
import { bind, connect, formatAddress } from "../../mod.ts";
import { LOOPBACK, SOON } from "../support/helpers.ts";
import { Program, run, startServer } from "./support/programs.ts";

const OCTET = tcp({ framing: "octet" });

type Totals = Record<string, Record<string, number>>;

/** Ends the server; returns the counts of its sinks, and what it said. */
async function totalsOf(server: Program) {
  server.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  const lines = stderr.trimEnd().split("\n");
  const { sinks } = JSON.parse(lines.at(-1)!) as { sinks: Totals };
  return { sinks, lines };
}

/** Returns a port that is free, and that the system gives to nobody. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      await using _udp = bind(`udp://[::]:${port}`);
      await using _tcp = bind(`tcp://[::]:${port}`);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((sum, n) => sum + n, 0);

Deno.test("server --forward to a dead, a slow and a good destination: the good one gets all, sums are exact", async () => {
  const MESSAGES = 100_000;
  const textOf = (n: number) => `message ${n}`.padEnd(100, ".");
  const dead = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: deadPort } = dead.addr;
  dead.close();
  using slow = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using good = bind("tcp://127.0.0.1:0", { carrier: OCTET });
  const to = [
    `tcp://127.0.0.1:${deadPort}`,
    `tcp://127.0.0.1:${slow.addr.port}`,
    formatAddress(good.addr),
  ];
  // Over TCP, so that the system drops nothing before the server.
  await using server = new Program("server.ts", [
    ...["tcp://127.0.0.1:0", "--format", "json", "--end-timeout", "1s"],
    ...to.flatMap((address) => ["--forward", address]),
    ...["--forward-limit", "1000000/s"],
  ]);
  const [, address = ""] = await server.said(/^listening on (\S+)$/);
  // It reads 100 bytes per second.
  const conn = await slow.accept();
  const read = () => conn.read(new Uint8Array(10)).catch(() => null);
  const reading = setInterval(read, 100);
  const received = (async () => {
    let next = 0;
    for await (const { data } of good) {
      assertEquals(new TextDecoder().decode(data), textOf(next));
      if (++next === MESSAGES) return;
    }
  })();
  await using client = await connect(address);
  await client.sendMany(function* () {
    for (let n = 0; n < MESSAGES; n++) yield textOf(n);
  }());
  await received;
  const { sinks, lines } = await totalsOf(server);
  clearInterval(reading);
  conn.close();
  for (const name of to) {
    assertEquals(sum(sinks[`forward:${name}`]!), MESSAGES, name);
  }
  const [first, second, third] = to.map((name) => sinks[`forward:${name}`]!);
  assertEquals(first!["lost"], MESSAGES);
  // How much of it the system's buffers hold is its own affair.
  assertEquals(second!["forwarded"]! + second!["lost"]!, MESSAGES);
  assertEquals(third!["forwarded"], MESSAGES);
  const said = lines.filter((line) => line.startsWith(`forward to ${to[0]}`));
  assertEquals(said.length, 2, lines.join("\n"));
  assertMatch(said[0]!, /refused .*; messages wait$/);
  assertMatch(said[1]!, / did not get 100000 messages: lost$/);
});

Deno.test("two servers that forward to each other pass a message on once", async () => {
  const port = await freePort();
  const json = ["--format", "json", "--stats-every", "20ms"];
  await using a = await startServer([
    ...json,
    ...["--forward", `127.0.0.1:${port}`],
  ]);
  await using b = new Program("server.ts", [
    ...[`127.0.0.1:${port}`, ...json, "--forward", a.address],
  ]);
  await b.said(/^listening on /);
  await using client = await connect(a.address);
  await client.send("Bonjour");
  await b.said(/"dropped\.loop":1\b/);
  const [onA, onB] = [await totalsOf(a), await totalsOf(b)];
  const there = onA.sinks[`forward:udp://127.0.0.1:${port}`]!;
  assertEquals([there["forwarded"], sum(there)], [1, 1]);
  const back = onB.sinks[`forward:${a.address}`]!;
  assertEquals([back["dropped.loop"], sum(back)], [1, 1]);
  assertMatch(onB.lines.join("\n"), /messages from a destination are not/);
});

Deno.test("server does not start if it would forward to itself, by whatever name", async () => {
  const port = await freePort();
  const own: [address: string, to: string][] = [
    [`127.0.0.1:${port}`, `127.0.0.1:${port}`],
    [`127.0.0.1:${port}`, `localhost:${port}`],
    [`localhost:${port}`, `[::ffff:127.0.0.1]:${port}`],
    [`0.0.0.0:${port}`, `127.0.0.7:${port}`],
    [`[::]:${port}`, `127.0.0.1:${port}`],
    [`tcp://[::]:${port}`, `tcp://[::1]:${port}`],
    [`tcp://127.0.0.1:${port}`, `tls://localhost:${port}`],
  ];
  for (const [address, to] of own) {
    const { code, stderr } = await run(
      "server.ts",
      [address, "--forward", to],
      { flags: ["--allow-net"] },
    );
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /^[^\n]*the address of the server itself[^\n]*\n$/);
  }
});

Deno.test("server rejects wrong options of --forward in one line", async () => {
  const good = ["--forward", "127.0.0.1:9"];
  const wrong: [args: string[], text: RegExp][] = [
    [["--forward"], /--forward needs a value/],
    [["--forward", "foo"], /the port is missing/],
    [["--forward", "127.0.0.1:0"], /port 0/],
    [["--forward", "0.0.0.0:9"], /the unspecified address/],
    [[...good, ...good], /--forward udp:\/\/127\.0\.0\.1:9 is given twice/],
    [["--forward-limit", "1/s"], /--forward-limit needs --forward/],
    [["--forward-sender"], /--forward-sender needs --forward/],
    [[...good, "--forward-limit", "x"], /must be a rate/],
    [[...good, "--forward-framing", "line"], /is for tcp:\/\/ and tls:\/\//],
    [["--forward", "tcp://127.0.0.1:9", "--forward-framing", "x"], /one of/],
    [[...good, "--forward-ca", "x"], /is for tls:\/\/ and quic:\/\//],
  ];
  await Promise.all(wrong.map(async ([args, text]) => {
    const all = ["127.0.0.1:0", ...args];
    const { code, stderr } = await run("server.ts", all);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, text);
    assertMatch(stderr, /^[^\n]+\n$/);
  }));
});

Deno.test("server prints the permissions for each destination, and no wider ones", async () => {
  const cases: [address: string, to: string, net: string][] = [
    ["127.0.0.1:0", "10.9.8.7:9", "127.0.0.1:0,0.0.0.0:0,10.9.8.7:9"],
    ["127.0.0.1:0", "tcp://a.example:9", "127.0.0.1:0,a.example:9"],
    // Whether that is the server itself shows by binding it.
    ["0.0.0.0:9", "10.9.8.7:9", "0.0.0.0:9,0.0.0.0:0,10.9.8.7:9,10.9.8.7:0"],
  ];
  await Promise.all(cases.map(async ([address, to, net]) => {
    const args = [address, "--forward", to];
    const { code, stderr } = await run("server.ts", args, { flags: [] });
    assertEquals(code, 2);
    const command = `deno run --allow-net=${net} --allow-run=cat server.ts`;
    assertEquals(stderr.includes(`run: ${command} `), true, stderr);
  }));
});

Deno.test("server prints what became of its messages for each destination", async () => {
  await using destination = bind(LOOPBACK);
  const to = formatAddress(destination.addr);
  await using server = await startServer(["--forward", to, "--count", "2"]);
  await using client = await connect(server.address);
  await client.send("Bonjour");
  await client.send("bien reçu");
  for (const text of ["Bonjour", "bien reçu"]) {
    assertEquals((await destination.receive(SOON)).text(), text);
  }
  const { code, stderr } = await server.ended();
  assertEquals(code, 0);
  const zeros = "0 waiting, 0 refused, 0 dropped.queue, 0 dropped.rate";
  assertMatch(
    stderr,
    new RegExp(
      `^forward:${to}: 2 forwarded, ${zeros}, 0 dropped.loop, 0 lost$`,
      "m",
    ),
  );
});

Deno.test("server --forward over unix:, TLS and QUIC, with the sender", async () => {
  const folder = await Deno.makeTempDir();
  const cert = ["--cert", `${folder}/cert.pem`, "--key", `${folder}/key.pem`];
  const made = ["--out", folder];
  await run("lib/programs/cert.ts", made, { flags: ["-A"] });
  const flags = ["-A"];
  const start = (...args: string[]) =>
    new Program("server.ts", [...args, "--once", "--format", "json"], {
      flags,
    });
  const destinations = [
    start(`unix:${folder}/socket`),
    start("tls://127.0.0.1:0", "--framing", "octet", ...cert),
    start("quic://127.0.0.1:0", ...cert),
  ];
  const forwards: string[] = [];
  for (const destination of destinations) {
    const [, address = ""] = await destination.said(/^listening on (\S+)$/);
    forwards.push("--forward", address);
  }
  const args = [...forwards, "--forward-sender", "--once"];
  const trust = ["--forward-ca", `${folder}/cert.pem`];
  await using server = await startServer([...args, ...trust], { flags });
  await using client = await connect(server.address);
  await client.send("Bonjour\nbien reçu");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  assertEquals(stderr.match(/: 1 forwarded, 0 waiting, 0 refused/g)?.length, 3);
  const line = `Pli-From: ${formatAddress(client.addr)}\n`;
  for (const [i, destination] of destinations.entries()) {
    const { code, stdout, stderr } = await destination.ended();
    assertEquals(code, 0, stderr);
    const { text, base64 } = JSON.parse(stdout);
    if (i > 0) assertEquals(text, `${line}Bonjour\nbien reçu`);
    else {
      const head = "\r\n\r\n\0\r\nQUIT\n!\x12\0\x0c";
      // The ports may be UTF-8 by chance.
      assertEquals((text ?? atob(base64)).slice(0, head.length), head);
    }
    await destination[Symbol.asyncDispose]();
  }
  await Deno.remove(folder, { recursive: true });
});

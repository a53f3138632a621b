/**
 * The recipes that collect: syslog from logger, StatsD from hot-shots, NetFlow from
 * softflowd, and OSC from and to the tools of liblo.
 */
import { assertEquals, assertMatch } from "@std/assert";
import StatsD from "hot-shots";
import config from "../../deno.json" with { type: "json" };
import { CaptureEncoder } from "../../lib/capture.ts";
import { runPeer, testsWhere } from "./support/peers.ts";
import {
  Collecting,
  prints,
  runRecipe,
  showVersion,
  startAtFreePort,
} from "./support/recipes.ts";

const LOOPBACK = "udp://127.0.0.1:0";

const logger = await testsWhere("command -v logger", "bsdutils");

/** Sends a message by logger, with a name and without what differs each time. */
function log(port: string, text: string, ...options: string[]) {
  const to = ["-n", "127.0.0.1", "-P", port, "-t", "pli", "-p", "local3.err"];
  return runPeer("logger", [...to, ...options, "--", text]);
}

logger(
  "syslog.ts shows what logger sends over UDP, in both forms",
  async () => {
    await showVersion("logger of util-linux", "logger", "--version");
    await using syslog = await Collecting.start("syslog", LOOPBACK);
    const { port } = syslog;
    await log(port, "new", "-d", "--rfc5424=notime,nohost", "--id=7");
    const data = ["--sd-id", "a@1", "--sd-param", 'b="c"'];
    await log(port, "with data", "-d", "--rfc5424=notime,nohost", ...data);
    await log(port, "old", "-d", "--rfc3164", "--id=8");
    await log(port, "\x1b[2J", "-d", "--rfc5424=notime,nohost");
    await syslog.printed(4);
    const { lines } = await syslog.interrupt(4);
    assertEquals(lines.toSpliced(2, 1), [
      "-  -  local3.err  pli[7]: new",
      "-  -  local3.err  pli: with data",
      "-  -  local3.err  pli: \\x1b[2J",
    ]);
    assertMatch(
      lines[2]!,
      /^\w{3} [ \d]\d \d\d:\d\d:\d\d {2}\S+ {2}local3\.err {2}pli\[8\]: old$/,
    );
  },
);

for (const framing of ["octet", "line"]) {
  logger(
    `syslog.ts shows what logger sends over TCP, framed by ${framing}`,
    async () => {
      await showVersion("logger of util-linux", "logger", "--version");
      const at = "tcp://127.0.0.1:0";
      await using syslog = await Collecting.start("syslog", at, framing);
      const options = framing === "octet" ? ["--octet-count"] : [];
      for (const text of ["first", "second"]) {
        const form = ["-T", "--rfc5424=notime,nohost", ...options];
        await log(syslog.port, text, ...form);
      }
      await syslog.printed(2);
      const { lines } = await syslog.interrupt(2);
      assertEquals(lines.sort(), [
        "-  -  local3.err  pli: first",
        "-  -  local3.err  pli: second",
      ]);
    },
  );
}

Deno.test("statsd.ts adds up what hot-shots counts, measures and groups", async () => {
  console.log(`  with ${config.imports["hot-shots"].slice("npm:".length)}`);
  await using statsd = await Collecting.start("statsd", LOOPBACK, "0.05");
  const failed = Promise.withResolvers<void>();
  const client = new StatsD({
    ...{ host: "127.0.0.1", port: Number(statsd.port), prefix: "app." },
    ...{ globalTags: { env: "test" }, maxBufferSize: 1000 },
    errorHandler: failed.reject,
  });
  client.increment("hits");
  client.increment("hits", 4);
  client.decrement("hits");
  client.gauge("degrees", 21.5);
  client.gaugeDelta("degrees", -1.5);
  client.timing("answer", 12);
  client.timing("answer", 20);
  client.histogram("size", 100);
  client.distribution("load", 3);
  for (const user of ["a", "b", "b"]) client.set("users", user);
  await Promise.race([
    failed.promise,
    new Promise<void>((done) => client.close(() => done())),
  ]);
  await statsd.printed(6);
  const { lines } = await statsd.interrupt(1);
  // Gauges stay, and are printed again.
  assertEquals(lines.slice(0, 6), [
    "c  app.hits {env:test}  4",
    "g  app.degrees {env:test}  20",
    "ms  app.answer {env:test}  2 values, mean 16, max 20",
    "h  app.size {env:test}  1 values, mean 100, max 100",
    "d  app.load {env:test}  1 values, mean 3, max 3",
    "s  app.users {env:test}  2",
  ]);
});

const softflowd = await testsWhere("command -v softflowd", "softflowd");

/** A capture of four flows, of ten datagrams each. */
function capture(): Uint8Array<ArrayBuffer>[] {
  const encoder = new CaptureEncoder();
  const packets = Array.from({ length: 40 }, (_, i) =>
    encoder.encode({
      time: 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000n,
      from: {
        transport: "udp",
        hostname: `192.0.2.${1 + i % 4}`,
        port: 40_000 + i % 4,
      },
      to: { transport: "udp", hostname: "198.51.100.7", port: 53 },
      data: new Uint8Array(100 + i % 4),
    })!);
  return [encoder.header, ...packets];
}

for (const version of ["5", "9"]) {
  softflowd(
    `netflow.ts lists the flows that softflowd exports as version ${version}`,
    async () => {
      await showVersion("softflowd", "softflowd", "-h");
      await using netflow = await Collecting.start("netflow");
      const folder = await Deno.makeTempDir();
      try {
        const file = `${folder}/flows.pcapng`;
        await Deno.writeFile(file, ReadableStream.from(capture()));
        await runPeer("softflowd", [
          ...["-d", "-r", file, "-n", `127.0.0.1:${netflow.port}`],
          ...["-v", version, "-p", `${folder}/pid`, "-c", "none"],
        ]);
        await netflow.printed(4);
        const { lines, stderr } = await netflow.interrupt(1);
        const expected = [0, 1, 2, 3].map((i) =>
          `192.0.2.${1 + i}:${40_000 + i} → 198.51.100.7:53  protocol 17  ` +
          `10 packets, ${10 * (128 + i)} bytes`
        );
        assertEquals(lines.sort(), expected);
        assertMatch(stderr, /^lost 0 flows, 0 exports$/m);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

const liblo = await testsWhere("command -v oscsend oscdump", "liblo-tools");

liblo("osc.ts shows what oscsend sends", async () => {
  await showVersion("liblo-tools", "oscsend", "--version");
  await using osc = await Collecting.start("osc");
  const values = ["1", "hi", "2.5", "99", "1.25", "01020304"];
  const args = ["127.0.0.1", osc.port, "/a/b", "iTsfhdm", ...values];
  await runPeer("oscsend", args);
  await osc.printed(1);
  const { lines: [line = ""] } = await osc.interrupt(1);
  assertMatch(
    line,
    /^udp:\/\/127\.0\.0\.1:\d+ {2}\/a\/b {2}iTsfhdm {2}1 {2}"hi" {2}2\.5 {2}99 {2}1\.25 {2}01020304$/,
  );
});

liblo("oscdump shows what osc.ts sends", async () => {
  await showVersion("liblo-tools", "oscdump");
  const ready = new TextEncoder().encode("/ready\0\0,\0\0\0");
  await using server = await startAtFreePort({
    command: "oscdump",
    args: (port) => ["-L", `${port}`],
    ready: (peer, port) => prints(peer, port, ready, /\/ready/),
  });
  const args = ["/fader", "ifsTN", "-1", "0.5", "reçu"];
  const at = `127.0.0.1:${server.port}`;
  const { code, stdout, stderr } = await runRecipe("osc", [at, ...args]);
  assertEquals([code, stdout, stderr], [0, "", ""]);
  await server.peer.printed(/ \/fader ifsTN -1 0\.500000 "reçu" #T Nil\n/);
});

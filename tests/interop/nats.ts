/** What the NATS sink stores in a stream of nats-server. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ArrayLog, message, messages, numbers } from "./support/logs.ts";
import { Broker } from "./support/brokers.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";
import { until } from "../support/helpers.ts";
import { counted, open, pause, texts, write } from "./support/sinks.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

const MANY = 20_000;

test("20,000 messages arrive in order, each once, with their headers", async () => {
  await using broker = await Broker.start();
  await using opened = open(`nats://${broker.host}/pli.messages`);
  const { sink, lines } = opened;
  write(sink, 1, MANY);
  await sink.flush();
  const stored = await broker.read("PLI_MESSAGES");
  assertEquals(texts(stored), numbers(MANY));
  assertEquals(sink.stats, counted({ published: MANY }));
  assertEquals(lines, [
    `NATS at ${broker.host}: created the stream PLI_MESSAGES for pli.messages`,
  ]);
  const { header, subject } = stored[41]!;
  assertEquals(subject, "pli.messages");
  assertEquals(header("Pli-From"), "udp://127.0.0.1:40000");
  assertEquals(header("Pli-Time"), "2026-11-23T09:30:00.042Z");
  assertEquals(header("Pli-Size"), "2");
  assertEquals(header("Pli-Truncated"), "");
  assertMatch(header("Nats-Msg-Id"), /^[0-9a-f-]{36}-42$/);
});

test("payloads arrive to the byte: empty, binary, longest, truncated", async () => {
  await using broker = await Broker.start();
  await using opened = open(`nats://${broker.host}/pli`);
  const payloads = [
    new Uint8Array(0),
    Uint8Array.from({ length: 256 }, (_, i) => i),
    new TextEncoder().encode("\r\n\r\nPUB x 1\r\n"),
    crypto.getRandomValues(new Uint8Array(65_507)),
  ];
  opened.sink.write(payloads.map((data, i) => message(i + 1, data, i === 3)));
  await opened.sink.flush();
  assertEquals(
    (await broker.read("PLI")).map(({ data, header }) => ({
      data: data.toHex(),
      size: header("Pli-Size"),
      truncated: header("Pli-Truncated"),
    })),
    payloads.map((data, i) => ({
      data: data.toHex(),
      size: `${data.length}`,
      truncated: i === 3 ? "true" : "",
    })),
  );
});

test("messages that the log gets after the sink arrive, and checkpoints are saved in batches", async () => {
  await using broker = await Broker.start();
  const log = new ArrayLog();
  await using opened = open(`nats://${broker.host}/pli`, { log });
  for (let id = 1; id <= 3000; id += 100) {
    const batch = messages(id, id + 99);
    opened.sink.write(batch);
    await pause(10);
    log.stored.push(...batch);
  }
  await opened.sink.close();
  assertEquals(texts(await broker.read("PLI")), numbers(3000));
  assertEquals(opened.sink.stats, counted({ published: 3000 }));
  const destination = `nats://${broker.host}/pli`;
  assertEquals([...log.checkpoints], [[destination, 3000]]);
  assert(log.saved < 300, `saved ${log.saved} times`);
});

for (const where of ["a log", "memory"]) {
  test(`a broker that is killed for 5 s gets all messages in order, once: from ${where}`, async () => {
    await using broker = await Broker.start();
    const log = where === "memory" ? undefined : new ArrayLog();
    await using opened = open(`nats://${broker.host}/pli`, { log });
    const { sink, lines } = opened;
    log?.stored.push(...messages(1, MANY));
    write(sink, 1, MANY);
    await until(() => sink.stats.published > MANY / 4);
    await broker.kill();
    assert(sink.stats.waiting > 0);
    await pause(5000);
    await broker.start();
    await sink.flush();
    assertEquals(texts(await broker.read("PLI")), numbers(MANY));
    const { duplicates } = sink.stats;
    const published = MANY - duplicates;
    assertEquals(sink.stats, counted({ published, duplicates }));
    assertEquals(lines.length, 3, lines.join("\n"));
    assertMatch(lines[1]!, /; messages wait$/);
    assertEquals(lines[2], `NATS at ${broker.host} is back`);
  });
}

test("a broker that is not running yet is waited for", async () => {
  await using broker = new Broker();
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 300);
  await until(() => lines.length > 0);
  write(sink, 301, 1000);
  assertEquals(sink.stats, counted({ waiting: 1000 }));
  await pause(1000);
  await broker.start();
  await sink.flush();
  assertEquals(texts(await broker.read("PLI")), numbers(1000));
  assertEquals(lines, [
    `NATS at ${broker.host}: connect ECONNREFUSED ${broker.host}; messages wait`,
    `NATS at ${broker.host}: created the stream PLI for pli`,
    `NATS at ${broker.host} is back`,
  ]);
});

test("a process that is killed while it publishes starts again, and no message is doubled", async () => {
  await using broker = await Broker.start();
  const url = `nats://${broker.host}/pli`;
  const checkpoint = await Deno.makeTempFile();
  const args = [
    ...["run", "--no-prompt", `--allow-net=${broker.host}`],
    ...["--allow-read", "--allow-write", "--allow-run"],
    "tests/interop/support/publish_log.ts",
    ...[url, "the-store", `${MANY}`, checkpoint],
  ];
  const first = new Deno.Command(Deno.execPath(), {
    args: [...args, `${MANY / 4}`],
  }).spawn();
  assertEquals((await first.status).signal, "SIGKILL");
  assert((await broker.read("PLI")).length < MANY);
  await runPeer(Deno.execPath(), args);
  assertEquals(texts(await broker.read("PLI")), numbers(MANY));
  assertEquals(await Deno.readTextFile(checkpoint), `${MANY}`);
  await Deno.remove(checkpoint);
});

test("messages that have no room are counted as overflow, and the others arrive", async () => {
  await using broker = new Broker();
  const maxQueued = 1000;
  await using opened = open(`nats://${broker.host}/pli`, { maxQueued });
  const { sink, lines } = opened;
  write(sink, 1, 1550);
  assertEquals(sink.stats, counted({ waiting: 1000, overflow: 550 }));
  await broker.start();
  await sink.flush();
  write(sink, 1551, 1600);
  await sink.flush();
  assertEquals(sink.stats, counted({ published: 1050, overflow: 550 }));
  assertEquals(texts(await broker.read("PLI")), [
    ...numbers(1000),
    ...numbers(1600).slice(1550),
  ]);
  assertEquals(lines.filter((line) => line.includes("is too slow")).length, 1);
});

test("a broker that hangs is noticed, and gets all messages once", async () => {
  await using broker = await Broker.start();
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 500);
  await sink.flush();
  broker.signal("SIGSTOP");
  write(sink, 501, MANY);
  await until(() => lines.length > 1);
  assertEquals(lines[1], `NATS at ${broker.host}: no answer; messages wait`);
  broker.signal("SIGCONT");
  await sink.flush();
  assertEquals(texts(await broker.read("PLI")), numbers(MANY));
  const { published, duplicates } = sink.stats;
  assertEquals(published + duplicates, MANY);
  assertEquals(lines.at(-1), `NATS at ${broker.host} is back`);
});

test("a broker that hangs is noticed even while there is nothing to publish", async () => {
  await using broker = await Broker.start();
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 1);
  await sink.flush();
  broker.signal("SIGSTOP");
  await until(() => lines.length > 1);
  broker.signal("SIGCONT");
  await until(() => lines.length > 2);
  assertEquals(lines.at(-1), `NATS at ${broker.host} is back`);
});

test("examples/nats_reader.ts prints what several servers published, and what follows", async () => {
  await using broker = await Broker.start();
  const url = `nats://${broker.host}/pli`;
  const sinks = [open(url), open(url)];
  for (const { sink } of sinks) sink.write([message(1), message(2)]);
  await Promise.all(sinks.map(({ sink }) => sink.close()));
  const flags = ["run", "--no-prompt", `--allow-net=${broker.host}`];
  await using reader = new Peer(Deno.execPath(), [
    ...[...flags, "examples/nats_reader.ts", url, "5"],
  ]);
  const data = new TextEncoder().encode("\x1b[2Jlate");
  const line = "5  2026-11-23T09:30:00.003Z  udp://127.0.0.1:40000  " +
    "8 bytes, truncated  \\x1b[2Jlate\n";
  await reader.shown(4 * "1  2026-11-23T09:30:00.001Z  udp".length);
  await using late = open(url);
  late.sink.write([message(3, data, true)]);
  const { code, bytes, stderr } = await reader.ended();
  assertEquals([code, stderr], [0, ""]);
  const lines = new TextDecoder().decode(bytes).split(/(?<=\n)/);
  assertEquals(lines.map((line) => line[0]), ["1", "2", "3", "4", "5"]);
  assertEquals(lines.at(-1), line);
});

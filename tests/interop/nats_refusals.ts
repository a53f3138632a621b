/** What the NATS sink does if nats-server rejects, or is set up in another way. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { ArrayLog, message, messages, numbers } from "./support/logs.ts";
import { Broker } from "./support/brokers.ts";
import { runPeer, testsWhere } from "./support/peers.ts";
import { until } from "../support/helpers.ts";
import { counted, open, texts, write } from "./support/sinks.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

/** Connects to the broker to set up its streams. */
async function manager(broker: Broker) {
  const connection = await connect({ servers: broker.host });
  return Object.assign(await jetstreamManager(connection), {
    [Symbol.asyncDispose]: () => connection.close(),
  });
}

test("a stream that covers the subject is used as it is", async () => {
  await using broker = await Broker.start();
  await using streams = await manager(broker);
  await streams.streams.add({ name: "all", subjects: ["pli.>"] });
  await using opened = open(`nats://${broker.host}/pli.site-1.door`);
  write(opened.sink, 1, 300);
  await opened.sink.flush();
  assertEquals(opened.lines, []);
  const stored = await broker.read("all");
  assertEquals(texts(stored), numbers(300));
  assertEquals(stored[0]?.subject, "pli.site-1.door");
});

test("a broker without JetStream is reported in one line, and closing does not hang", async () => {
  await using broker = await Broker.start({ jetstream: false });
  const flushTimeoutMs = 500;
  await using opened = open(`nats://${broker.host}/pli`, { flushTimeoutMs });
  const { sink, lines } = opened;
  write(sink, 1, 100);
  await sink.flush();
  assertEquals(sink.stats, counted({ waiting: 100 }));
  await sink.close();
  assertEquals(sink.stats, counted({ lost: 100 }));
  assertEquals(lines, [
    `NATS at ${broker.host}: it has no JetStream, or none for this user; nats-server --jetstream starts one; messages wait`,
    `NATS at ${broker.host} did not acknowledge 100 messages: lost`,
  ]);
});

test("a stream that is deleted is said to be, and created again; no message is lost", async () => {
  await using broker = await Broker.start();
  await using streams = await manager(broker);
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 10);
  await sink.flush();
  await streams.streams.delete("PLI");
  write(sink, 11, 300);
  await sink.flush();
  assertEquals(sink.stats, counted({ published: 300 }));
  assertEquals(texts(await broker.read("PLI")), numbers(300).slice(10));
  const created = `NATS at ${broker.host}: created the stream PLI for pli`;
  assertEquals(lines, [
    created,
    `NATS at ${broker.host}: no stream takes pli: was it deleted? It is created again if this user may; messages wait`,
    created,
    `NATS at ${broker.host} is back`,
  ]);
});

test("a deleted stream that the user may not create again is waited for", async () => {
  const config = `authorization { users = [
    { user: admin, password: admin }
    { user: u, password: p, permissions: {
      publish: "pli", subscribe: "_INBOX.>"
    } }
  ] }`;
  await using broker = await Broker.start({ config });
  const admin = { user: "admin", pass: "admin" };
  const connection = await connect({ servers: broker.host, ...admin });
  const { streams } = await jetstreamManager(connection);
  await using opened = open(`nats://u:p@${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 10);
  await until(() => lines.length > 0);
  assertMatch(
    lines[0]!,
    /: no stream takes pli: was it deleted\?.*; messages wait$/,
  );
  await streams.add({ name: "PLI", subjects: ["pli"] });
  await sink.flush();
  await connection.close();
  assertEquals(texts(await broker.read("PLI", admin)), numbers(10));
});

test("messages that a closed sink did not publish stay in the log for the next one", async () => {
  await using broker = new Broker();
  const url = `nats://${broker.host}/pli`;
  const log = new ArrayLog();
  log.stored.push(...messages(1, 100));
  const { sink, lines } = open(url, { log, flushTimeoutMs: 0 });
  // At once: its first connection has not failed yet.
  await sink.close();
  await sink.close();
  assertEquals(sink.stats, counted({ waiting: 100 }));
  assertEquals(lines, []);
  await broker.start();
  await using next = open(url, { log });
  await next.sink.flush();
  assertEquals(next.sink.stats, counted({ published: 100 }));
  assertEquals(texts(await broker.read("PLI")), numbers(100));
});

test("a server that sends nothing is left at once when the sink is closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `nats://127.0.0.1:${listener.addr.port}/pli`;
  const { sink, lines } = open(url, { flushTimeoutMs: 0 });
  write(sink, 1, 10);
  using _connection = await listener.accept();
  await sink.close();
  assertEquals(sink.stats, counted({ lost: 10 }));
  assertEquals(lines.length, 1);
});

test("a server that is not a broker is reported in one line, escaped", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `nats://127.0.0.1:${listener.addr.port}/pli`;
  const { sink, lines } = open(url, { flushTimeoutMs: 0 });
  const speaking = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("\x1b[2Jhello\r\n"));
      connection.close();
    }
  })();
  await until(() => lines.length > 0);
  await sink.close();
  listener.close();
  await speaking;
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /^NATS at [\x20-\x7e]+; messages wait$/);
});

test("messages that are written to a closed sink are counted as lost", async () => {
  await using broker = await Broker.start();
  const { sink } = open(`nats://${broker.host}/pli`);
  await sink.close();
  write(sink, 1, 10);
  await sink.flush();
  assertEquals(sink.stats, counted({ lost: 10 }));
});

test("messages that the log deleted too early are counted as lost, the others arrive", async () => {
  await using broker = new Broker();
  const log = new ArrayLog();
  log.stored.push(...messages(1, 1000));
  const url = `nats://${broker.host}/pli`;
  await using opened = open(url, { log });
  log.stored.splice(0, 400);
  await broker.start();
  await opened.sink.flush();
  assertEquals(opened.sink.stats, counted({ published: 600, lost: 400 }));
  assertEquals(texts(await broker.read("PLI")), numbers(1000).slice(400));
  assert(
    opened.lines.some((line) => line.includes("will not get 400 messages")),
  );
});

test("a message over max_payload is refused, reported once, and the others arrive", async () => {
  const config = "max_payload: 1000";
  await using broker = await Broker.start({ config });
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  const long = new Uint8Array(1000);
  sink.write([message(1, long), message(2), message(3, long), message(4)]);
  await sink.flush();
  assertEquals(sink.stats, counted({ published: 2, refused: 2 }));
  assertEquals(texts(await broker.read("PLI")), ["2", "4"]);
  assertEquals(
    lines.filter((line) => line.includes("rejected a message")).length,
    1,
  );
});

test("a message over the stream's max_msg_size is refused, and the others arrive", async () => {
  await using broker = await Broker.start();
  await using streams = await manager(broker);
  const limits = { max_msg_size: 1000 };
  await streams.streams.add({ name: "pli", subjects: ["pli"], ...limits });
  await using opened = open(`nats://${broker.host}/pli`);
  const long = new Uint8Array(1000);
  opened.sink.write([message(1), message(2, long), message(3)]);
  await opened.sink.flush();
  assertEquals(opened.sink.stats, counted({ published: 2, refused: 1 }));
  assertEquals(texts(await broker.read("pli")), ["1", "3"]);
});

test("a stream that is full is waited for, in order", async () => {
  await using broker = await Broker.start();
  await using streams = await manager(broker);
  const limits = { max_msgs: 100, discard: "new" } as const;
  await streams.streams.add({ name: "pli", subjects: ["pli"], ...limits });
  await using opened = open(`nats://${broker.host}/pli`);
  const { sink, lines } = opened;
  write(sink, 1, 300);
  await until(() => lines.length > 0);
  assertMatch(lines[0]!, /: maximum messages exceeded; messages wait$/);
  assertEquals(sink.stats, counted({ published: 100, waiting: 200 }));
  await streams.streams.update("pli", { max_msgs: -1 });
  await sink.flush();
  assertEquals(texts(await broker.read("pli")), numbers(300));
  assertEquals(lines.length, 2);
});

test("a name that a stream of another subject has is reported, and waited for", async () => {
  await using broker = await Broker.start();
  await using streams = await manager(broker);
  await streams.streams.add({ name: "PLI", subjects: ["other"] });
  await using opened = open(`nats://${broker.host}/pli`);
  write(opened.sink, 1, 10);
  await until(() => opened.lines.length > 0);
  assertMatch(opened.lines[0]!, /stream name already in use/);
  await streams.streams.update("PLI", { subjects: ["other", "pli"] });
  await opened.sink.flush();
  assertEquals(opened.sink.stats, counted({ published: 10 }));
});

for (
  const { what, userinfo, wrong, args, options } of [{
    what: "a user and a password",
    userinfo: "u:s%40cret",
    wrong: "u:s3same",
    args: ["--user", "u", "--pass", "s@cret"],
    options: { user: "u", pass: "s@cret" },
  }, {
    what: "a token",
    userinfo: "s%40cret",
    wrong: "s3same",
    args: ["--auth", "s@cret"],
    options: { token: "s@cret" },
  }]
) {
  test(`${what} in the URL sign in at the broker, and are never printed`, async () => {
    await using broker = await Broker.start({ args });
    const address = `${broker.host}/pli`;
    await using good = open(`nats://${userinfo}@${address}`);
    write(good.sink, 1, 100);
    await good.sink.flush();
    assertEquals(texts(await broker.read("PLI", options)), numbers(100));

    const log = new ArrayLog();
    await using bad = open(`nats://${wrong}@${address}`, { log });
    await until(() => bad.lines.length > 0);
    assertMatch(bad.lines[0]!, /Authorization Violation.*; messages wait$/);

    await broker.kill();
    await until(() => good.lines.length > 1);
    const shown = [...good.lines, ...bad.lines, ...log.checkpoints.keys()];
    assertEquals(shown.filter((line) => /cret|s3same|u:/.test(line)), []);
  });
}

test("a user may publish without any further permission", async () => {
  const config = `authorization { users = [
    { user: admin, password: admin }
    { user: u, password: p, permissions: {
      publish: "pli", subscribe: "_INBOX.>"
    } }
  ] }`;
  await using broker = await Broker.start({ config });
  const admin = { user: "admin", pass: "admin" };
  const connection = await connect({ servers: broker.host, ...admin });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name: "PLI", subjects: ["pli"] });
  await connection.close();
  await using opened = open(`nats://u:p@${broker.host}/pli`);
  write(opened.sink, 1, 100);
  await opened.sink.flush();
  assertEquals(opened.lines, []);
  assertEquals(texts(await broker.read("PLI", admin)), numbers(100));
});

const certified = await testsWhere(
  "command -v nats-server && command -v openssl",
  "nats-server and openssl",
);

certified(
  "a tls:// URL requires encryption and a certificate that Deno trusts",
  async () => {
    await using plain = await Broker.start();
    await using refused = open(`tls://${plain.host}/pli`, {
      flushTimeoutMs: 0,
    });
    await until(() => refused.lines.length > 0);
    assertMatch(refused.lines[0]!, /: server does not support 'tls'; messages/);

    const folder = await Deno.makeTempDir();
    const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    await runPeer("openssl", [
      ...["req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=pli"],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", key, "-out", cert],
    ]);
    const args = ["--tls", "--tlscert", cert, "--tlskey", key];
    await using broker = await Broker.start({ args });
    const url = `tls://${broker.host}/pli`;
    await using unknown = open(url, { flushTimeoutMs: 0 });
    await until(() => unknown.lines.length > 0);
    assertMatch(unknown.lines[0]!, /certificate.*; messages wait$/);

    const checkpoint = `${folder}/checkpoint`;
    await runPeer(Deno.execPath(), [
      ...["run", "--no-prompt", "--cert", cert, `--allow-net=${broker.host}`],
      ...["--allow-read", "--allow-write"],
      ...["tests/interop/support/publish_log.ts", url, "x", "100", checkpoint],
    ]);
    assertEquals(await Deno.readTextFile(checkpoint), "100");
    await Deno.remove(folder, { recursive: true });
  },
);

/** A server with a store and a broker, killed and started again. */
import { assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { startServer } from "../process/support/programs.ts";
import { SOON } from "../support/helpers.ts";
import { Broker } from "./support/brokers.ts";
import { testsWhere } from "./support/peers.ts";
import { texts } from "./support/sinks.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

// On a busy machine the end may take long.
const PATIENT = ["--end-timeout", "100s"];

/** Sends numbered messages, and waits for their receipts. */
async function send(
  address: string,
  from: number,
  to: number,
  name = "",
): Promise<void> {
  await using client = await connect(address);
  for (let n = from; n <= to; n += 100) {
    for (let i = n; i < n + 100; i++) await client.send(`${name}${i}`);
    for (let i = n; i < n + 100; i++) {
      assertEquals(JSON.parse((await client.receive(SOON)).text()).id, i);
    }
  }
}

function numbered(n: number, name = ""): string[] {
  return Array.from({ length: n }, (_, i) => `${name}${i + 1}`);
}

test("server --store --publish, killed with -9 and restarted: what is stored arrives once, in order", async () => {
  await using broker = await Broker.start();
  const folder = await Deno.makeTempDir();
  const path = `${folder}/messages.db`;
  const url = `nats://${broker.host}/pli.all`;
  const args = ["--store", path, "--receipt", "--publish", url, ...PATIENT];
  const flags = [
    `--allow-net=127.0.0.1`,
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
  ];
  {
    await using server = await startServer(args, { flags });
    await send(server.address, 1, 3000);
    server.kill("SIGKILL");
    await server.ended();
  }
  // While the broker is away messages wait in the store, also across a kill.
  await broker.kill();
  {
    await using server = await startServer(args, { flags });
    await send(server.address, 3001, 5000);
    server.kill("SIGKILL");
    await server.ended();
  }
  await broker.start();
  await using server = await startServer([...args, "--format", "json"], {
    flags,
  });
  await send(server.address, 5001, 6000);
  server.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  assertEquals(texts(await broker.read("PLI_ALL")), numbered(6000));
  const { sinks } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
  assertEquals(sinks.nats.waiting, 0);
  await Deno.remove(folder, { recursive: true });
});

test("three servers feed one stream: all messages of each are there once, in its order", async () => {
  await using broker = await Broker.start();
  const folder = await Deno.makeTempDir();
  const url = `nats://${broker.host}/pli.all`;
  const flags = [
    "--allow-net=127.0.0.1",
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
  ];
  const names = ["a", "b", "c"];
  await Promise.all(names.map(async (name) => {
    const path = `${folder}/${name}.db`;
    await using server = await startServer(
      ["--store", path, "--receipt", "--publish", url, ...PATIENT],
      { flags },
    );
    await send(server.address, 1, 2000, name);
    server.kill("SIGINT");
    const { code, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
  }));
  const all = texts(await broker.read("PLI_ALL"));
  for (const name of names) {
    const own = all.filter((text) => text.startsWith(name));
    assertEquals(own, numbered(2000, name));
  }
  assertEquals(all.length, 6000);
  await Deno.remove(folder, { recursive: true });
});

test("a server that waits for its store publishes from it afterwards, each message once", async () => {
  await using broker = await Broker.start();
  const folder = await Deno.makeTempDir();
  const flags = ["-A"];
  const store = ["--store", `${folder}/messages.db`, "--receipt"];
  const publish = ["--publish", `nats://${broker.host}/pli`];
  await using first = await startServer(store, { flags });
  await send(first.address, 1, 100);
  const all = [...store, ...publish, ...PATIENT, "--format", "json"];
  await using second = await startServer(all, { flags });
  await using client = await connect(second.address);
  for (let n = 101; n <= 200; n++) await client.send(`${n}`);
  first.kill("SIGINT");
  await first.ended();
  await second.said(/^messages are stored in .* now$/);
  for (let n = 101; n <= 200; n++) await client.receive(SOON);
  await send(second.address, 201, 300);
  second.kill("SIGINT");
  const { code, stderr } = await second.ended();
  assertEquals(code, 0, stderr);
  const { sinks } = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
  assertEquals([sinks.store.stored, sinks.nats.published], [200, 300]);
  // Nothing is left for the next one to publish again.
  await using third = await startServer(all, { flags });
  third.kill("SIGINT");
  assertEquals((await third.ended()).code, 0);
  assertEquals(texts(await broker.read("PLI")), numbered(300));
  await Deno.remove(folder, { recursive: true });
});

/** Servers whose stores were copied or restored, and that publish to one stream. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import type { CheckpointedLog } from "../../lib/sink.ts";
import { startServer } from "../process/support/programs.ts";
import { SOON } from "../support/helpers.ts";
import { Broker } from "./support/brokers.ts";
import { ArrayLog, message } from "./support/logs.ts";
import { testsWhere } from "./support/peers.ts";
import { counted, open, texts } from "./support/sinks.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

/** Runs a server, and sends it messages that it stores. Returns its counts. */
async function collected(
  path: string,
  url: string | undefined,
  sent: string[],
): Promise<{ nats: Record<string, number> }> {
  await using server = await startServer([
    ...["--store", path, "--receipt", "--format", "json"],
    // On a busy machine the end may take long.
    ...["--end-timeout", "100s"],
    ...url === undefined ? [] : ["--publish", url],
  ], { flags: ["-A"] });
  await using client = await connect(server.address);
  for (const text of sent) await client.request(text, SOON);
  server.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  return JSON.parse(stderr.trimEnd().split("\n").at(-1)!).sinks;
}

test("two copies of a store: each message of both is in the stream, once", async () => {
  await using broker = await Broker.start();
  const folder = await Deno.makeTempDir();
  const url = `nats://${broker.host}/pli.all`;
  const [a, b] = [`${folder}/a.db`, `${folder}/b.db`];
  // With a backlog that both of them publish.
  await collected(a, undefined, ["1", "2"]);
  Deno.copyFileSync(a, b);
  const ofA = await collected(a, url, ["A1", "A2", "A3"]);
  assertEquals([ofA.nats["published"], ofA.nats["duplicates"]], [5, 0]);
  const ofB = await collected(b, url, ["B1", "B2", "B3", "B4"]);
  assertEquals([ofB.nats["published"], ofB.nats["duplicates"]], [4, 2]);
  assertEquals(texts(await broker.read("PLI_ALL")), [
    ...["1", "2", "A1", "A2", "A3"],
    ...["B1", "B2", "B3", "B4"],
  ]);
  await Deno.remove(folder, { recursive: true });
});

test("a restored store: what is received after it is in the stream, once", async () => {
  await using broker = await Broker.start();
  const folder = await Deno.makeTempDir();
  const url = `nats://${broker.host}/pli.all`;
  const path = `${folder}/m.db`;
  await collected(path, url, ["1", "2"]);
  Deno.copyFileSync(path, `${path}.backup`);
  await collected(path, url, ["3", "4"]);
  Deno.copyFileSync(`${path}.backup`, path);
  await collected(path, url, ["5", "6", "7"]);
  assertEquals(
    texts(await broker.read("PLI_ALL")),
    ["1", "2", "3", "4", "5", "6", "7"],
  );
  await Deno.remove(folder, { recursive: true });
});

/** A log as in a machine that was cloned while it ran. */
class ClonedLog extends ArrayLog implements CheckpointedLog {
  readonly begun: number[] = [];

  epochOf(id: number): string {
    const n = this.begun.filter((firstId) => firstId <= id).length;
    return n === 0 ? "common" : `${this.#own}.${n}`;
  }

  beginEpoch(id: number): Promise<void> {
    this.begun.push(id);
    return Promise.resolve();
  }

  readonly #own = crypto.randomUUID();
}

test("a cloned process: what the stream has under the same IDs is published under others, and it says so", async () => {
  await using broker = await Broker.start();
  const url = `nats://${broker.host}/pli`;
  const texter = new TextEncoder();
  const logs = [new ClonedLog(), new ClonedLog()];
  const written: string[] = [];
  for (const [i, log] of logs.entries()) {
    await using opened = open(url, { log });
    const { sink, lines } = opened;
    for (let id = 1; id <= 100; id += 10) {
      const batch = Array.from(
        { length: 10 },
        (_, n) => message(id + n, texter.encode(`${"ab"[i]}${id + n}`)),
      );
      written.push(...batch.map(({ datagram }) => datagram.text()));
      log.stored.push(...batch);
      sink.write(batch);
    }
    await sink.close();
    assertEquals(sink.stats, counted({ published: 100 }));
    assertEquals(log.begun, i === 0 ? [] : [1]);
    if (i === 0) continue;
    assertMatch(
      lines.at(-1)!,
      /has another message under the ID of message 1: is a copy of this server running\?/,
    );
  }
  const stored = texts(await broker.read("PLI"));
  assertEquals(stored.toSorted(), written.toSorted());
  assert(stored.indexOf("b1") < stored.indexOf("b2"));
});

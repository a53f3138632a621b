import { assert, assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program, run } from "./support/programs.ts";

const SENT = 500_000;
const MAX_RSS = 150 * 1024 * 1024;

Deno.test("a flood to a receiver that sleeps and wakes adds up, in bounded memory", async () => {
  const input = new TransformStream<Uint8Array, Uint8Array>();
  await using receiver = new Program(
    "tests/process/support/sleepy_receiver.ts",
    [],
    {
      flags: ["--allow-net=127.0.0.1", "--allow-run=cat"],
      stdin: input.readable,
    },
  );
  const [, address = ""] = await receiver.said(/^listening on (\S+)$/);
  {
    await using client = await connect(address!);
    const message = new Uint8Array(100);
    for (let n = 0; n < SENT; n++) await client.send(message);
    assertEquals(client.stats.sent, SENT);
  }
  await input.writable.close();
  const { code, stdout } = await receiver.ended();
  assertEquals(code, 0);
  const { received, waiting, dropped, kernelDrops, rss } = JSON.parse(stdout);
  assertEquals([waiting, dropped], [0, {
    stranger: 0,
    queueFull: 0,
    closed: 0,
  }]);
  assert(received > 0 && kernelDrops > 0, stdout);
  assertEquals(received + kernelDrops, SENT);
  assert(rss < MAX_RSS, `${rss} bytes resident`);
});

Deno.test("a million forged sources are limited and counted, in bounded memory", async () => {
  const { stdout } = await run("tests/process/support/forged_flood.ts", [], {
    flags: [],
  });
  const { received, dropped, sent, rssAtHalf, rss } = JSON.parse(stdout);
  assertEquals([received, sent], [1_000_000 - 256, 1_000_000 - 256]);
  assertEquals(dropped.denied, 256);
  // Half of it is memory that the garbage collector has not freed yet.
  assert(rss < 2 * MAX_RSS, `${rss} bytes resident`);
  assert(rss < 1.25 * rssAtHalf, `${rss} bytes resident, ${rssAtHalf} before`);
});

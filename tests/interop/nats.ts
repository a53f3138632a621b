/** nats-server with JetStream: what the NATS sink leaves in its streams. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { nats, type NatsSink } from "../../lib/sinks/nats.ts";
import {
  ArrayBacklog,
  message,
  messages,
  numbers,
} from "./support/backlogs.ts";
import { Broker, type Stored } from "./support/brokers.ts";
import { testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v nats-server", "nats-server");

const MANY = 20_000;
const SLOW = { flushTimeoutMs: 30_000 };

function texts(stored: Stored[]): string[] {
  return stored.map(({ data }) => new TextDecoder().decode(data));
}

/** Resolves when the sink has counted so many as published. */
async function published(sink: NatsSink, count: number): Promise<void> {
  while (sink.stats.published < count) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Writes messages in batches, as a collector would. */
function write(
  sink: NatsSink,
  from: number,
  to: number,
  backlog?: ArrayBacklog,
): void {
  for (let id = from; id <= to; id += 100) {
    const batch = messages(id, Math.min(id + 99, to));
    backlog?.stored.push(...batch);
    sink.write(batch);
  }
}

function sum({ stats }: NatsSink): number {
  const { published, waiting, overflow, refused, lost } = stats;
  return published + waiting + overflow + refused + lost;
}

test("20,000 messages arrive in order, each once, with their headers", async () => {
  await using broker = await Broker.start();
  await using sink = nats(`nats://${broker.host}/pli.messages`, SLOW);
  write(sink, 1, MANY);
  await sink.flush();
  const stored = await broker.read("PLI_MESSAGES");
  assertEquals(texts(stored), numbers(MANY));
  assertEquals(sink.stats, {
    published: MANY,
    duplicates: 0,
    waiting: 0,
    overflow: 0,
    refused: 0,
    lost: 0,
  });
  const { header, subject } = stored[41];
  assertEquals(subject, "pli.messages");
  assertEquals(header("Pli-From"), "udp://127.0.0.1:40000");
  assertEquals(header("Pli-Time"), "2026-11-23T09:30:00.042Z");
  assertEquals(header("Pli-Size"), "2");
  assertEquals(header("Pli-Truncated"), "");
  assertMatch(header("Nats-Msg-Id"), /^[0-9a-f-]{36}-42$/);
});

test("payloads arrive to the byte, empty, binary, longest and truncated ones", async () => {
  await using broker = await Broker.start();
  await using sink = nats(`nats://${broker.host}/pli`, SLOW);
  const payloads = [
    new Uint8Array(0),
    Uint8Array.from({ length: 256 }, (_, i) => i),
    new TextEncoder().encode("\r\n\r\nPUB x 1\r\n"),
    crypto.getRandomValues(new Uint8Array(65_507)),
  ];
  sink.write(payloads.map((data, i) => message(i + 1, data, i === 3)));
  await sink.flush();
  const stored = await broker.read("PLI");
  assertEquals(
    stored.map(({ data }) => data.toHex()),
    payloads.map((data) => data.toHex()),
  );
  assertEquals(stored.map(({ header }) => header("Pli-Truncated")), [
    "",
    "",
    "",
    "true",
  ]);
  assertEquals(stored.map(({ header }) => header("Pli-Size")), [
    "0",
    "256",
    "14",
    "65507",
  ]);
});

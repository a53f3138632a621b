import { assert, assertEquals, assertMatch } from "@std/assert";
import { PacketFile } from "../lib/programs/measure/packet_file.ts";
import { packetWith } from "./support/measure_results.ts";

/** A file in memory, whose writes wait and fail as the test says. */
class FakeFile {
  text = "";
  closed = 0;
  writes = 0;
  fails = false;
  gate: Promise<void> = Promise.resolve();

  async add(bytes: Uint8Array): Promise<void> {
    await this.gate;
    this.writes++;
    if (this.fails) throw new Error("No space left on device");
    this.text += new TextDecoder().decode(bytes);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("a file of packets has its header and each packet once, in order", async () => {
  const fake = new FakeFile();
  const file = new PacketFile(fake, "a.csv");
  for (let number = 0; number < 1000; number++) {
    file.add(packetWith({ number }));
    if (number % 100 === 0) await turn();
  }
  await file.close();
  const [header = "", ...lines] = fake.text.trimEnd().split("\n");
  assertMatch(header, /^number,/);
  assertEquals(lines.length, 1000);
  lines.forEach((line, n) => assertEquals(line.split(",")[0], `${n}`));
  assertEquals([file.written, file.lost, fake.closed], [1000, 0, 1]);
  assertEquals(file.totals, "wrote 1000 packets");
});

Deno.test("a file of packets without any has its header, or nothing as JSON", async () => {
  for (const [name, length] of [["a.csv", 1], ["a.jsonl", 0]] as const) {
    const fake = new FakeFile();
    await new PacketFile(fake, name).close();
    assertEquals(fake.text.split("\n").length - 1, length);
  }
});

Deno.test("a full disk is said once and counted, and what follows is written", async () => {
  const fake = new FakeFile();
  const said: string[] = [];
  const file = new PacketFile(fake, "a.csv", (line) => said.push(line));
  fake.fails = true;
  for (let number = 0; number < 5; number++) {
    file.add(packetWith({ number }));
    await turn();
  }
  fake.fails = false;
  file.add(packetWith({ number: 5 }));
  await file.close();
  assertEquals(said, [
    'Cannot write --packets "a.csv": No space left on device; packets that are not written are counted',
  ]);
  assertMatch(fake.text, /^number,[^\n]*\n5,[^\n]*\n$/);
  assertEquals([file.written, file.lost], [1, 5]);
  assertEquals(file.totals, "wrote 1 packet, 5 not written");
});

Deno.test("a disk that hangs takes bounded memory, and the rest is counted", async () => {
  const fake = new FakeFile();
  const gate = Promise.withResolvers<void>();
  fake.gate = gate.promise;
  const file = new PacketFile(fake, "a.jsonl");
  const count = 200_000;
  for (let number = 0; number < count; number++) {
    file.add(packetWith({ number }));
  }
  assert(file.lost > 0);
  gate.resolve();
  await file.close();
  assertEquals(file.written + file.lost, count);
  assert(fake.text.length <= 8 * 1024 * 1024);
});

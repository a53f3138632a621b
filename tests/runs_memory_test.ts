import { assert, assertEquals } from "@std/assert";
import { ConnectedSocket, type ReceivedRun } from "../mod.ts";
import {
  cut,
  FakeRunCarrier,
  run,
  runBound,
  textsOf,
} from "./support/fake_batches.ts";
import { isPending, PEER, SOON } from "./support/helpers.ts";
import { assertAddsUp, receiveRuns } from "./support/runs.ts";

Deno.test("the bytes of a run belong to the program", async () => {
  const { carrier, socket } = runBound();
  for (const text of ["ab", "cd", "ef"]) carrier.deliver(run([...text]));
  const runs = await receiveRuns(socket.runs(), 6);
  assertEquals(runs.map((run) => textsOf(run).join("")), ["ab", "cd", "ef"]);
  assertEquals(carrier.left, 0);
  socket.close();
});

Deno.test("with reuse a run is not copied, and overwritten only after the step", async () => {
  const { carrier, socket } = runBound();
  const runs = socket.runs({ reuse: true });
  carrier.deliver(run(["1", "2"]), run(["3", "4"]));
  carrier.deliver(run(["5", "6"]));
  const first = (await runs.next()).value;
  const second = (await runs.next()).value;
  // The first one is of the same batch; only the next batch overwrites it.
  assertEquals([first, second].map(textsOf), [["1", "2"], ["3", "4"]]);
  const third = (await runs.next()).value;
  assertEquals(textsOf(third), ["5", "6"]);
  assertEquals(first.data, new Uint8Array([0xff, 0xff]));
  assertEquals(carrier.left, 0);
  socket.close();
});

Deno.test("with reuse a run stays whole while the loop receives otherwise", async () => {
  const { carrier, socket } = runBound();
  for (const text of ["12", "34", "56", "78"]) carrier.deliver(run([...text]));
  const seen: string[] = [];
  for await (const run of socket.runs({ reuse: true })) {
    const other = socket.receive();
    const late = isPending(other);
    await late;
    seen.push(textsOf(run).join(""), (await other).text());
    assertEquals(textsOf(run).join(""), seen.at(-2));
    if (seen.length === 6) break;
  }
  assertEquals(seen, ["12", "3", "4", "5", "6", "7"]);
  assert(carrier.left > 0);
  assertEquals((await socket.receive()).text(), "8");
  assertAddsUp(socket.stats, 8);
  socket.close();
});

Deno.test("with reuse a forgotten iteration holds up nobody", async () => {
  const { carrier, socket } = runBound();
  carrier.deliver(run(["1", "2"]));
  const { value } = await socket.runs({ reuse: true }).next();
  for (const text of ["3", "4", "5"]) {
    carrier.deliver(run([text]));
    assertEquals((await socket.receive(SOON)).text(), text);
  }
  assertEquals(textsOf(value), ["1", "2"]);
  // What is kept is left once: afterwards the carrier uses its memory again.
  assertEquals(carrier.left, 1);
  socket.close();
});

Deno.test("with reuse two iterations each keep their run", async () => {
  const { carrier, socket } = runBound();
  carrier.deliver(run(["1", "2"]), run(["3", "4"]));
  const [one, two] = [1, 2].map(() => socket.runs({ reuse: true })) as [
    AsyncIterableIterator<ReceivedRun>,
    AsyncIterableIterator<ReceivedRun>,
  ];
  const first = (await one.next()).value;
  const second = (await two.next()).value;
  carrier.deliver(run(["5"]));
  assertEquals(textsOf((await one.next()).value), ["5"]);
  assertEquals([first, second].map(textsOf), [["1", "2"], ["3", "4"]]);
  socket.close();
});

Deno.test("a match takes its datagram out of a run", async () => {
  const carrier = new FakeRunCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  const runs = socket.runs({ reuse: true });
  const first = runs.next();
  const reply = socket.request("?", {
    match: (datagram) => datagram.text() === "reply",
    timeoutMs: 30_000,
  });
  carrier.deliver(run(["early", "reply", "later"]), run(["last."]));
  assertEquals((await reply).text(), "reply");
  assertEquals(textsOf((await first).value), ["early"]);
  const rest = await receiveRuns(runs, 2);
  assertEquals(rest.flatMap(textsOf), ["later", "last."]);
  socket.close();
});

for (const reuse of [false, true]) {
  Deno.test(`reuse ${reuse}: a request beside runs loses nothing of the runs that wait`, async () => {
    const carrier = new FakeRunCarrier();
    const socket = new ConnectedSocket(carrier, PEER);
    carrier.deliver(run(["1", "2"]), run(["3", "4"]));
    carrier.deliver(run(["reply"]));
    const runs = socket.runs({ reuse });
    const first = (await runs.next()).value;
    const match = (datagram: { text(): string }) => datagram.text() === "reply";
    assertEquals((await socket.request("?", { match })).text(), "reply");
    assertEquals(textsOf(first), ["1", "2"]);
    assertEquals((await receiveRuns(runs, 2)).flatMap(textsOf), ["3", "4"]);
    assertAddsUp(socket.stats, 5);
    socket.close();
  });
}

Deno.test("a slow loop over runs loses nothing, whatever their sizes", async () => {
  const { carrier, socket } = runBound();
  const sizes = [0, 1, 2, 100, 1472, 9000, 0, 65_507];
  let sum = 0;
  for (let n = 0; n < 200; n++) {
    const size = sizes[n % sizes.length]!;
    const count = size === 0 ? 1 : Math.max(1, Math.floor(65_507 / size) % 129);
    sum += count;
    carrier.deliver(cut(new Uint8Array(size * count).fill(n), size));
  }
  let n = 0;
  let got = 0;
  for await (const run of socket.runs({ reuse: true, ...SOON })) {
    assert(run.data.every((byte) => byte === n));
    assertEquals(run.segmentSize, sizes[n % sizes.length]);
    if (n++ % 16 === 0) await isPending(Promise.resolve());
    got += run.count;
    if (got === sum) break;
  }
  assertEquals(socket.stats.received, sum);
  socket.close();
});

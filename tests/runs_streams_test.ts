import { assertEquals, assertRejects } from "@std/assert";
import { ConnectedSocket, SocketClosedError } from "../mod.ts";
import { FakeRunCarrier, run, runBound } from "./support/fake_batches.ts";
import { isPending, PEER } from "./support/helpers.ts";
import { assertAddsUp } from "./support/runs.ts";

function runClient() {
  const carrier = new FakeRunCarrier();
  return { carrier, socket: new ConnectedSocket(carrier, PEER) };
}

Deno.test("runs pipe into a writable as runs, empty ones too", async () => {
  const { carrier, socket } = runBound();
  const to = runClient();
  carrier.deliver(run(["ab", "cd", "e"]), run([]), run(["x"]), run([]));
  const piping = ReadableStream.from(socket.runs()).pipeTo(to.socket.writable);
  while (to.socket.stats.sent < 6) await isPending(Promise.resolve());
  assertEquals(to.carrier.sent, ["ab", "cd", "e", "", "x", ""]);
  assertEquals(to.carrier.given, [3]);
  socket.close();
  await piping;
  to.socket.close();
});

Deno.test("a pipe of runs that is aborted loses nothing", async () => {
  const { carrier, socket } = runBound();
  const to = runClient();
  carrier.deliver(run(["1", "2"]), run(["3", "4"]), run(["5"]));
  const { promise, resolve } = Promise.withResolvers<void>();
  to.carrier.onRun = async (sent) => {
    await promise;
    return { sent };
  };
  const controller = new AbortController();
  const piping = ReadableStream.from(socket.runs())
    .pipeTo(to.socket.writable, { signal: controller.signal });
  while (to.carrier.given.length < 1) await isPending(Promise.resolve());
  controller.abort("enough");
  resolve();
  await piping.catch((reason) => assertEquals(reason, "enough"));
  const { received, waiting } = socket.stats;
  assertEquals(received + waiting, 5);
  assertEquals(to.socket.stats.sent <= received, true);
  const first = to.carrier.sent.length;
  if (waiting > 0) {
    assertEquals((await socket.receive()).text(), `${first + 1}`);
  }
  assertAddsUp(socket.stats, 5);
  socket.close();
  to.socket.close();
});

Deno.test("a run that cannot be written is reported, and the stream goes on", async () => {
  const { carrier, socket } = runClient();
  const reported: string[] = [];
  socket.onSendError = ({ message }) => void reported.push(message);
  const source = runBound();
  source.carrier.deliver(run(["ab", "cd", "ef"]), run(["1", "2"]));
  const runs = source.socket.runs();
  carrier.onRun = () => {
    carrier.onRun = (sent) => ({ sent });
    return { sent: 1, error: new Error("no") };
  };
  const writer = socket.writable.getWriter();
  for (let n = 0; n < 2; n++) await writer.write((await runs.next()).value);
  assertEquals(carrier.sent, ["ab", "1", "2"]);
  assertEquals(reported.length, 1);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [3, 2]);
  socket.close();
  await assertRejects(() => writer.write("x"), SocketClosedError);
  source.socket.close();
});

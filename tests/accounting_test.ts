import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatagramSocket, SocketClosedError } from "../mod.ts";
import { batchBound, FakeBatchCarrier } from "./support/fake_batches.ts";
import { FakeCarrier, fakeClient } from "./support/fakes.ts";
import { isPending, PEER, turn } from "./support/helpers.ts";

Deno.test("what is not sent yet is in sending, and sent, failed and sending add up at any time", async () => {
  const { carrier, socket } = batchBound();
  const gates: (() => void)[] = [];
  carrier.sendBatch = async ({ length }) => {
    await new Promise<void>((go) => gates.push(go));
    return { sent: Math.min(length, 300) };
  };
  const sum = () => {
    const { sent, sendFailed, sending } = socket.stats;
    return [sent, sendFailed, sending];
  };
  let read = 0;
  const messages = function* () {
    while (read < 2500) {
      read++;
      yield { data: "x", to: PEER };
    }
  };
  const all = socket.sendMany(messages());
  assert(read > 0 && read < 2500);
  assertEquals(sum(), [0, 0, read]);
  const single = socket.send("y", PEER);
  assertEquals(sum(), [0, 0, read + 1]);
  carrier.send = (data) => Promise.resolve(data.length);
  while (await isPending(all)) {
    const [sent, failed, sending] = sum();
    assertEquals(sent! + failed! + sending!, read + 1);
    gates.shift()?.();
  }
  assertEquals([await all, await single], [2500, undefined]);
  assertEquals(sum(), [2501, 0, 0]);
  socket.close();
});

for (const how of ["close", "timeoutMs", "signal"] as const) {
  for (const kind of ["one by one", "in batches", "async"] as const) {
    Deno.test(`${kind}: after ${how} each message that sendMany had read is counted`, async () => {
      const carrier = kind === "in batches"
        ? new FakeBatchCarrier()
        : new FakeCarrier({});
      const gates: (() => void)[] = [];
      const wait = () => new Promise<void>((go) => gates.push(go));
      if (carrier instanceof FakeBatchCarrier) {
        carrier.onBatch = async ({ length }) => {
          await wait();
          return { sent: Math.min(length, 326) };
        };
      } else carrier.onSend = async (data) => (await wait(), data.length);
      const socket = new DatagramSocket(carrier);
      let read = 0;
      const endless = {
        *[Symbol.iterator]() {
          for (;;) {
            read++;
            yield { data: "x", to: PEER };
          }
        },
      };
      const endlessAsync = async function* () {
        yield* endless;
      };
      const abort = new AbortController();
      const sending = socket.sendMany(
        kind === "async" ? endlessAsync() : endless,
        how === "timeoutMs" ? { timeoutMs: 20 } : { signal: abort.signal },
      );
      const rejected = assertRejects(() => sending, Error);
      for (let n = 0; n < 5; n++) {
        await turn();
        gates.shift()?.();
      }
      if (how === "close") socket.close();
      if (how === "signal") abort.abort(new Error("stop"));
      if (how === "timeoutMs") await rejected;
      while (socket.stats.sending > 0) {
        await turn();
        gates.shift()?.();
      }
      await rejected;
      const { sent, sendFailed } = socket.stats;
      // An async generator may have read one more, which it never handed over.
      const unread = read - sent - sendFailed;
      assert(unread === 0 || kind === "async" && unread === 1, `${unread}`);
      socket.close();
    });
  }
}

Deno.test("in batches, a message to a name is counted although the batch before it fails", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = () => {
    socket.close();
    throw new Deno.errors.BadResource("closed");
  };
  let read = 0;
  const messages = function* () {
    for (const to of [PEER, "udp://localhost:9", PEER]) {
      read++;
      yield { data: "x", to };
    }
  };
  const rejected = assertRejects(
    () => socket.sendMany(messages()),
    SocketClosedError,
  );
  assertEquals(socket.stats.sending + socket.stats.sendFailed, read);
  await rejected;
  const { sent, sendFailed, sending } = socket.stats;
  assertEquals([sent, sendFailed, sending], [0, read, 0]);
});

Deno.test("bytes with a length of their own are sent, and counted, by their true length", async () => {
  const { carrier, socket } = fakeClient();
  for (const length of [NaN, -1, 1e308, 1, "5", null]) {
    const data = new Uint8Array(4);
    Object.defineProperty(data, "length", { value: length });
    await socket.send(data);
    await socket.sendMany([data]);
  }
  assertEquals(carrier.sent.map(({ data }) => data.length), Array(12).fill(4));
  assertEquals(socket.stats.sentBytes, 48);
  socket.close();
});

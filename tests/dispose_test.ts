import { assertEquals, assertRejects } from "@std/assert";
import { bind, connect, ConnectedSocket, SocketClosedError } from "../mod.ts";
import { FakeCarrier, fakeClient } from "./support/fakes.ts";
import { isPending, PEER, SOON } from "./support/helpers.ts";

Deno.test("await using sends what waits to be sent", async () => {
  const carrier = new FakeCarrier({});
  const gates: (() => void)[] = [];
  carrier.onSend = async (data) => {
    await new Promise<void>((go) => gates.push(go));
    return data.length;
  };
  const socket = new ConnectedSocket(carrier, PEER);
  const texts = Array.from({ length: 20 }, (_, i) => `${i}`);
  const sending = Promise.all(texts.map((text) => socket.send(text)));
  const disposed = socket[Symbol.asyncDispose]();
  await assertRejects(() => socket.send("late"), SocketClosedError);
  while (await isPending(disposed)) {
    // Nothing is closed while something waits.
    assertEquals(carrier.calls, []);
    gates.shift()?.();
  }
  await sending;
  assertEquals([carrier.sentTexts, carrier.calls], [texts, ["close"]]);
});

Deno.test("over TCP, await using sends what waits to be sent", async () => {
  await using socket = bind("tcp://127.0.0.1:0");
  const sending: Promise<void>[] = [];
  {
    await using client = await connect(socket.addr);
    for (let n = 0; n < 20; n++) sending.push(client.send(`${n}`));
  }
  await Promise.all(sending);
  for (let n = 0; n < 20; n++) {
    assertEquals((await socket.receive(SOON)).text(), `${n}`);
  }
});

Deno.test("close ends the wait of an await using whose carrier never sends", async () => {
  const { carrier, socket } = fakeClient();
  carrier.onSend = () => new Promise(() => {});
  socket.send("x").catch(() => {});
  const waiting = assertRejects(() => socket.send("y"), SocketClosedError);
  const disposed = socket[Symbol.asyncDispose]();
  assertEquals(await isPending(disposed), true);
  socket.close();
  await disposed;
  await waiting;
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { bind, ConnectedSocket, SocketClosedError } from "../mod.ts";
import { batchBound, FakeBatchCarrier } from "./support/fake_batches.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import {
  isPending,
  LOOPBACK,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

const numbers = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i}`);

Deno.test("sendMany sends each message as one datagram, and returns how many", async () => {
  await using socket = bind(LOOPBACK);
  const messages = ["a", "", new Uint8Array([0x63])]
    .map((data) => ({ data, to: socket.addr }));
  assertEquals(await socket.sendMany(messages), 3);
  const got = [];
  for (const _ of messages) got.push((await socket.receive(SOON)).text());
  assertEquals(got, ["a", "", "c"]);
  assertEquals([socket.stats.sent, socket.stats.sentBytes], [3, 2]);
});

for (
  const [over, open] of [
    ["one by one", () => {
      const { carrier, socket } = fakeClient();
      return { carrier, socket, sent: () => carrier.sentTexts };
    }],
    ["in batches", () => {
      const carrier = new FakeBatchCarrier();
      const socket = new ConnectedSocket(carrier, PEER);
      return { carrier, socket, sent: () => carrier.sent };
    }],
  ] as const
) {
  Deno.test(`${over}: sendMany of nothing sends nothing`, async () => {
    const { socket, sent } = open();
    assertEquals(await socket.sendMany([]), 0);
    assertEquals(sent(), []);
    socket.close();
  });

  Deno.test(`${over}: sendMany keeps the order`, async () => {
    const { socket, sent } = open();
    assertEquals(await socket.sendMany(numbers(5000)), 5000);
    assertEquals(sent(), numbers(5000));
    assertEquals([socket.stats.sent, socket.stats.sendFailed], [5000, 0]);
    socket.close();
  });

  Deno.test(`${over}: a message that cannot be sent is reported, the others are sent`, async () => {
    const { socket, sent } = open();
    const messages = ["a", new Uint8Array(65_508), "b", 5 as unknown as string];
    const error = await assertRejects(
      () => socket.sendMany(messages),
      AggregateError,
      "Cannot send 2 of 4 messages: Cannot send 65508 bytes",
    );
    assertEquals(error.errors.length, 2);
    assertEquals(sent(), ["a", "b"]);
    assertEquals([socket.stats.sent, socket.stats.sendFailed], [2, 2]);
    socket.close();
  });

  Deno.test(`${over}: all failures are counted, the first 16 are reported`, async () => {
    const { socket } = open();
    const error = await assertRejects(
      () => socket.sendMany(Array(100).fill(new Uint8Array(70_000))),
      AggregateError,
    );
    assertEquals(error.errors.length, 16);
    assertEquals(socket.stats.sendFailed, 100);
    socket.close();
  });

  Deno.test(`${over}: closing ends sendMany, and no more is read`, async () => {
    const { socket } = open();
    let read = 0;
    let ended = false;
    const endless = function* () {
      try {
        for (;;) {
          if (++read === 3000) socket.close();
          yield "x";
        }
      } finally {
        ended = true;
      }
    };
    await assertRejects(() => socket.sendMany(endless()), SocketClosedError);
    assertEquals(ended, true);
    assert(read < 5000);
    await assertRejects(() => socket.sendMany(["x"]), SocketClosedError);
  });

  Deno.test(`${over}: an aborted sendMany rejects with the reason and reads no more`, async () => {
    const { socket } = open();
    const controller = new AbortController();
    const reason = { enough: true };
    let read = 0;
    const endless = function* () {
      for (;;) {
        if (++read === 3000) controller.abort(reason);
        yield "x";
      }
    };
    const { signal } = controller;
    const thrown = await socket.sendMany(endless(), { signal })
      .catch((thrown) => thrown);
    assertStrictEquals(thrown, reason);
    await turn();
    const after = read;
    await turn();
    assertEquals(read, after);
    const again = await socket.sendMany(["x"], { signal })
      .catch((thrown) => thrown);
    assertStrictEquals(again, reason);
    socket.close();
  });

  Deno.test(`${over}: an error of the iterable is thrown after its messages were sent`, async () => {
    const { socket, sent } = open();
    const broken = function* () {
      yield "a";
      throw new TypeError("broken");
    };
    await assertRejects(() => socket.sendMany(broken()), TypeError, "broken");
    assertEquals(sent(), ["a"]);
    socket.close();
  });
}

Deno.test("sendMany that takes too long times out", async () => {
  const { carrier, socket } = fakeClient();
  carrier.onSend = () => new Promise(() => {});
  await assertRejects(
    () => socket.sendMany(["a", "b"], { timeoutMs: 1 }),
    Deno.errors.TimedOut,
  );
  assertEquals(carrier.sentTexts, ["a"]);
  socket.close();
});

Deno.test("sendMany of a bound socket takes addresses of each form", async () => {
  const { carrier, socket } = fakeBound();
  const error = await assertRejects(
    () =>
      socket.sendMany([
        { data: "a", to: PEER },
        { data: "b", to: "127.0.0.1:1" },
        { data: "c", to: "nowhere" },
      ]),
    AggregateError,
  );
  assertEquals(error.errors[0].name, "InvalidAddressError");
  assertEquals(carrier.sentTexts, ["a", "b"]);
  socket.close();
});

Deno.test("a batch that the carrier takes in parts is sent completely", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = ({ length }) => ({ sent: Math.min(7, length) });
  const messages = numbers(100).map((data) => ({ data, to: PEER }));
  assertEquals(await socket.sendMany(messages), 100);
  assertEquals(carrier.sent, numbers(100));
  socket.close();
});

Deno.test("a message of a batch that fails is reported, the others are sent", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = (batch) => {
    const bad = batch.findIndex(({ to }) =>
      "port" in to && to.port === STRANGER.port
    );
    return bad < 0 ? { sent: batch.length } : {
      sent: bad,
      error: new Deno.errors.ConnectionRefused("refused"),
    };
  };
  const peers = [PEER, STRANGER, PEER, STRANGER];
  const error = await assertRejects(
    () => socket.sendMany(peers.map((to, i) => ({ data: `${i}`, to }))),
    AggregateError,
  );
  assertEquals(error.errors.map((error) => error.constructor), [
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionRefused,
  ]);
  assertEquals(carrier.sent, ["0", "2"]);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [2, 2]);
  socket.close();
});

Deno.test("sends and batches are sent in the order of the calls", async () => {
  const { carrier, socket } = batchBound();
  const gates: (() => void)[] = [];
  carrier.onBatch = async ({ length }) => {
    await new Promise<void>((go) => gates.push(go));
    return { sent: length };
  };
  const all = [
    socket.send("a", PEER),
    socket.sendMany([{ data: "b", to: PEER }, { data: "c", to: STRANGER }]),
    socket.send("d", PEER),
    socket.sendMany([{ data: "e", to: PEER }]),
  ];
  for (const sending of all) {
    while (gates.length === 0) await turn();
    assertEquals(await isPending(sending), true);
    gates.shift()?.();
    await sending;
  }
  assertEquals(carrier.sent, ["a", "b", "c", "d", "e"]);
  socket.close();
});

Deno.test("timers run while sendMany sends without end", async () => {
  await using socket = bind(LOOPBACK);
  let late = false;
  const timer = setTimeout(() => late = true);
  const endless = function* () {
    while (!late) yield { data: "x", to: socket.addr };
  };
  assert(await socket.sendMany(endless()) > 0);
  clearTimeout(timer);
});

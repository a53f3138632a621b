import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  connect,
  ConnectedSocket,
  DatagramSocket,
  serve,
  SocketClosedError,
} from "../mod.ts";
import { batchBound, FakeBatchCarrier } from "./support/fake_batches.ts";
import { fakeBound, FakeCarrier, fakeClient } from "./support/fakes.ts";
import {
  isPending,
  LOOPBACK,
  net,
  PEER,
  SOON,
  turn,
} from "./support/helpers.ts";

/** Bytes whose buffer was taken away, in each way that there is. */
const GONE: [string, () => Uint8Array][] = [
  ["were transferred", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    bytes.buffer.transfer();
    return bytes;
  }],
  ["were empty and transferred", () => {
    const bytes = new Uint8Array(0);
    bytes.buffer.transfer();
    return bytes;
  }],
  ["lie beyond their shrunk buffer", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
    const bytes = new Uint8Array(buffer, 4, 4);
    buffer.resize(2);
    return bytes;
  }],
  ["begin beyond their shrunk buffer", () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
    const bytes = new Uint8Array(buffer, 4);
    buffer.resize(2);
    return bytes;
  }],
];

for (const [what, make] of GONE) {
  Deno.test(`bytes that ${what} are a TypeError, not an empty datagram`, async () => {
    const wanted = "its bytes are gone: the buffer was transferred or resized";
    const one = fakeClient();
    const many = batchBound();
    const client = new ConnectedSocket(many.carrier, PEER);
    await assertRejects(() => one.socket.send(make()), TypeError, wanted);
    await assertRejects(() => one.socket.request(make()), TypeError, wanted);
    for (const socket of [one.socket, client]) {
      await assertRejects(
        () => socket.sendMany(["a", make(), "b"]),
        AggregateError,
        wanted,
      );
    }
    assertEquals([one.carrier.sentTexts, many.carrier.sent], [
      ["a", "b"],
      ["a", "b"],
    ]);
    const { sent, sendFailed, sentBytes } = one.socket.stats;
    assertEquals([sent, sendFailed, sentBytes], [2, 3, 2]);
    one.socket.close();
    client.close();
  });
}

Deno.test("over UDP too, bytes that were transferred are a TypeError", async () => {
  await using socket = bind(LOOPBACK);
  const bytes = new Uint8Array(3);
  bytes.buffer.transfer();
  await assertRejects(() => socket.send(bytes, socket.addr), TypeError, "gone");
  await socket.send(new Uint8Array(3).subarray(1, 1), socket.addr);
  assertEquals((await socket.receive(SOON)).data.length, 0);
});

Deno.test("bytes that go while a send waits for its turn are a TypeError", async () => {
  const gate = Promise.withResolvers<void>();
  const { carrier, socket } = fakeBound();
  carrier.onSend = async (data) => (await gate.promise, data.length);
  const bytes = new Uint8Array(3);
  const first = socket.send("first", PEER);
  const waiting = socket.send(bytes, PEER);
  bytes.buffer.transfer();
  gate.resolve();
  await first;
  await assertRejects(() => waiting, TypeError, "Cannot send 3 bytes from");
  assertEquals(carrier.sentTexts, ["first"]);
  socket.close();
});

Deno.test("bytes that go while their send is under way are counted as they were", async () => {
  const { carrier, socket } = fakeClient();
  const gate = Promise.withResolvers<void>();
  carrier.onSend = async () => (await gate.promise, 3);
  const bytes = new Uint8Array(3);
  const sending = socket.send(bytes);
  bytes.buffer.transfer();
  gate.resolve();
  await sending;
  assertEquals(socket.stats.sentBytes, 3);
  socket.close();
});

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

Deno.test("sendMany takes an async iterable, and sends each message when it is there", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const sending = client.sendMany(readable);
  for (const text of ["a", "b"]) {
    await writer.write(text);
    assertEquals((await socket.receive(SOON)).text(), text);
  }
  await writer.close();
  assertEquals(await sending, 2);
  const addressed = async function* () {
    await turn();
    yield { data: "c", to: client.addr };
  };
  assertEquals(await socket.sendMany(addressed()), 1);
  assertEquals((await client.receive(SOON)).text(), "c");
});

for (const how of ["close", "timeoutMs", "signal", "dispose"] as const) {
  Deno.test(`${how} ends a sendMany that waits for an async iterable, and ends that too`, async () => {
    const { socket } = fakeClient();
    let ends = 0;
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return() {
          ends++;
          throw new Error("return");
        },
      }),
    };
    const abort = new AbortController();
    const sending = socket.sendMany(
      silent,
      how === "timeoutMs" ? { timeoutMs: 5 } : { signal: abort.signal },
    );
    const reason = sending.catch((reason) => reason);
    await turn();
    if (how === "close") socket.close();
    if (how === "dispose") await socket[Symbol.asyncDispose]();
    if (how === "signal") abort.abort("stop");
    const thrown = await reason;
    if (how === "signal") assertEquals(thrown, "stop");
    else if (how === "timeoutMs") {
      assert(thrown instanceof Deno.errors.TimedOut);
    } else assert(thrown instanceof SocketClosedError);
    assertEquals([ends, socket.stats.sending], [1, 0]);
    socket.close();
  });
}

Deno.test("an error of an async iterable is thrown after its messages were sent", async () => {
  const { carrier, socket } = fakeClient();
  const broken = async function* () {
    yield "a";
    await turn();
    throw new TypeError("broken");
  };
  await assertRejects(() => socket.sendMany(broken()), TypeError, "broken");
  assertEquals(carrier.sentTexts, ["a"]);
  socket.close();
});

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
  const waiting = socket.send("y");
  const disposed = socket[Symbol.asyncDispose]();
  assertEquals(await isPending(disposed), true);
  socket.close();
  await disposed;
  await assertRejects(() => waiting, SocketClosedError);
});

for (const error of ["ConnectionReset", "ConnectionRefused"] as const) {
  Deno.test(`a bound socket counts ${error} of receive as unreachable, and goes on`, async () => {
    const { carrier, socket } = fakeBound();
    carrier.fail(new Deno.errors[error]("(os error 10054)"));
    carrier.deliver("a");
    carrier.fail(new Deno.errors[error]("(os error 10054)"));
    carrier.deliver("b");
    const got: string[] = [];
    for await (const datagram of socket) {
      got.push(datagram.text());
      if (got.length === 2) break;
    }
    assertEquals([got, socket.stats.unreachable], [["a", "b"], 2]);
    assertEquals(socket.stats.received, 2);
    socket.close();
  });

  Deno.test(`a server whose clients vanish (${error}) reports nothing, and goes on`, async () => {
    const carrier = new FakeCarrier({});
    const errors: unknown[] = [];
    const server = serve("127.0.0.1:0", ({ data }) => data, {
      carrier: { listen: () => carrier },
      onError: (error) => void errors.push(error),
    });
    for (let n = 0; n < 1000; n++) carrier.fail(new Deno.errors[error]("gone"));
    carrier.deliver("x");
    while (carrier.sent.length === 0) await turn();
    assertEquals([errors, server.stats.unreachable], [[], 1000]);
    await server.shutdown();
  });

  Deno.test(`a connected socket rejects with ${error} of receive`, async () => {
    const { carrier, socket } = fakeClient();
    carrier.fail(new Deno.errors[error]("gone"));
    await assertRejects(() => socket.receive(), Deno.errors[error]);
    assertEquals(socket.stats.unreachable, 0);
    socket.close();
  });
}

Deno.test("an IPv4 socket sends to an IPv4-mapped address, in every form", async () => {
  await using socket = bind(LOOPBACK);
  await using peer = bind(LOOPBACK);
  const { port } = peer.addr;
  const forms = [
    `udp://[::ffff:127.0.0.1]:${port}`,
    `udp://[::ffff:7f00:1]:${port}`,
    net("::ffff:127.0.0.1", port),
    net("0:0:0:0:0:ffff:127.0.0.1", port),
  ];
  for (const to of forms) {
    await socket.send("x", to);
    assertEquals((await peer.receive(SOON)).text(), "x");
  }
  assertEquals(
    await socket.sendMany(forms.map((to) => ({ data: "y", to }))),
    4,
  );
});

Deno.test("connect to an IPv4-mapped loopback address binds loopback only", async () => {
  await using server = serve(LOOPBACK, ({ data }) => data);
  await using client = await connect(
    `udp://[::ffff:127.0.0.1]:${server.addr.port}`,
  );
  assertEquals(client.addr.hostname, "127.0.0.1");
  assertEquals((await client.request("x", SOON)).text(), "x");
});

Deno.test("a socket cannot send to a URL object, and the error says how", async () => {
  await using socket = bind(LOOPBACK);
  for (const url of ["udp://127.0.0.1:9", "http://127.0.0.1/"]) {
    await assertRejects(
      () => socket.send("x", new URL(url) as never),
      TypeError,
      'Invalid address "a URL": give its text: url.href without a path',
    );
  }
});

for (
  const [what, to] of [
    ["a short form", net("127.1", 9)],
    ["another scheme", { ...net("127.0.0.1", 9), transport: "tcp" as const }],
    ["control characters", net("a\x1b[31mb", 9)],
    ["a path", { transport: "unixpacket" as const, path: "/tmp/\x1b" }],
  ] as const
) {
  Deno.test(`an object with ${what} is checked as text is`, async () => {
    await using socket = bind(LOOPBACK);
    const error = await assertRejects(
      () => socket.send("x", to),
      TypeError,
    );
    assert(!/\p{Cc}/u.test(error.message), error.message);
    assertEquals(error.name, "InvalidAddressError");
  });
}

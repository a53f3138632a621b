import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, DatagramSocket, serve, SocketClosedError } from "../mod.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  fakeServer,
} from "./support/fakes.ts";
import {
  consoleErrors,
  LOOPBACK,
  net,
  PEER,
  SOON,
  turn,
  until,
} from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("an asynchronous match is a TypeError of its request only", async () => {
  const { carrier, socket } = fakeClient();
  const request = socket.request("x", {
    match: (() => Promise.reject(new Error("unhandled"))) as Any,
  });
  const other = socket.request("y");
  carrier.deliver("reply");
  await assertRejects(
    () => request,
    TypeError,
    "Cannot request from udp://127.0.0.1:40000: match must be a function that returns true or false",
  );
  assertEquals((await other).text(), "reply");
  await turn();
  socket.close();
});

Deno.test("an onError that rejects does not end the server or the program", async () => {
  const { carrier, server } = fakeServer(() => {
    throw new Error("oops");
  }, { onError: () => Promise.reject(new Error("worse")) as Any });
  const printed = await consoleErrors(async () => {
    carrier.deliver("a");
    await turn();
  });
  assertEquals(printed, [["Error: worse"]]);
  await server.shutdown();
});

Deno.test("an onListen that rejects is reported, and the server goes on", async () => {
  const { carrier, errors, server } = fakeServer((datagram) => datagram.data, {
    onListen: () => Promise.reject(new Error("oops")) as Any,
  });
  carrier.deliver("a");
  await until(() => carrier.sentTexts.length > 0);
  assertEquals(errors.map(([error]) => (error as Error).message), ["oops"]);
  assertEquals(carrier.sentTexts, ["a"]);
  await server.shutdown();
});

Deno.test("an onListen that returns what cannot be awaited is reported, too", async () => {
  const trap = () => {
    throw new Error("oops");
  };
  for (
    const returned of [
      Object.defineProperty({}, "then", { get: trap }),
      new Proxy({}, { get: trap, has: trap }),
      { then: trap },
    ]
  ) {
    const { carrier, errors, server } = fakeServer(({ data }) => data, {
      onListen: () => returned as Any,
    });
    carrier.deliver("a");
    await until(() => carrier.sentTexts.length > 0);
    assertEquals(errors.map(([error]) => (error as Error).message), ["oops"]);
    assertEquals(carrier.sentTexts, ["a"]);
    await server.shutdown();
  }
});

Deno.test("an onListen that waits for the server's first answer does not hang", async () => {
  const answered = Promise.withResolvers<string>();
  await using _server = serve(LOOPBACK, (datagram) => datagram.data, {
    onListen: (async (addr: Deno.NetAddr) => {
      await using client = await connect(addr);
      answered.resolve((await client.request("x", SOON)).text());
    }) as Any,
  });
  assertEquals(await answered.promise, "x");
});

for (
  const [how, onSendError] of [
    ["throws", () => {
      throw new Error("oops");
    }],
    ["rejects", () => Promise.reject(new Error("oops")) as Any],
  ] as const
) {
  Deno.test(`an onSendError that ${how} does not end the stream`, async () => {
    const { carrier, socket } = fakeClient();
    socket.onSendError = onSendError;
    carrier.onSend = (data) =>
      data.length === 1
        ? Promise.reject(new Error("no"))
        : Promise.resolve(data.length);
    const writer = socket.writable.getWriter();
    const printed = await consoleErrors(async () => {
      await writer.write("a");
      await writer.write("bb");
      await turn();
    });
    assertEquals(printed, [["Error: oops"]]);
    assertEquals(carrier.sentTexts, ["a", "bb"]);
    socket.close();
    await assertRejects(() => writer.write("c"), SocketClosedError);
    await assertRejects(() => writer.closed, SocketClosedError);
  });
}

Deno.test("an answer of a wrong type does not lift the limit on answers", async () => {
  const carrier = new FakeCarrier({ addr: net("0.0.0.0", 62_000) });
  const socket = new DatagramSocket(carrier);
  carrier.deliver("abcd");
  const datagram = await socket.receive();
  for (const data of [7, null, {}, [1, 2]]) {
    await assertRejects(
      () => socket.answer(data as Any, datagram),
      TypeError,
      "data must be a string or a Uint8Array",
    );
  }
  assertEquals(await socket.answer("a".repeat(13), datagram), false);
  assertEquals(await socket.answer("a".repeat(12), datagram), true);
  assertEquals(socket.stats.withheld["amplification"], 1);
  socket.close();
});

for (const kind of ["one by one", "in batches"] as const) {
  Deno.test(`timers run while sendMany sends ${kind}, even if every send fails at once`, async () => {
    const carrier = new FakeCarrier({});
    if (kind === "in batches") {
      Object.assign(carrier, {
        sendBatch: (batch: unknown[]) => ({ sent: batch.length }),
      });
    }
    for (const to of [PEER, "nowhere"]) {
      await using socket = new DatagramSocket(carrier);
      let late = false;
      const timer = setTimeout(() => late = true);
      const endless = function* () {
        while (!late) yield { data: "x", to };
      };
      await socket.sendMany(endless()).catch((error) => {
        assert(error instanceof AggregateError);
      });
      assertEquals(late, true);
      clearTimeout(timer);
    }
  });
}

Deno.test("a getter of a message that throws ends sendMany with its error", async () => {
  const { socket } = fakeBound();
  const oops = new Error("oops");
  const messages = [{
    to: PEER,
    get data(): string {
      throw oops;
    },
  }];
  const thrown = await socket.sendMany(messages).catch((error) => error);
  assertEquals(thrown, oops);
  socket.close();
});

import { assertEquals, assertRejects } from "@std/assert";
import { collect } from "../lib/collect.ts";
import { DatagramSocket, serve } from "../mod.ts";
import { fakeBound, FakeCarrier, fakeClient } from "./support/fakes.ts";
import { turn } from "./support/helpers.ts";

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

const reset = () => new Deno.errors.ConnectionReset("gone");

/** A carrier whose every `receive` reports a peer that vanished. */
function endlessReports(): FakeCarrier {
  return Object.assign(new FakeCarrier({}), {
    receive: () => Promise.reject(reset()),
  });
}

for (
  const [what, make] of [
    ["error 10052", () => new Error("net reset (os error 10052)")],
    ["ECONNRESET", () => Object.assign(new Error(""), { code: "ECONNRESET" })],
    [
      "ECONNREFUSED",
      () => Object.assign(new Error(""), { code: "ECONNREFUSED" }),
    ],
  ] as const
) {
  Deno.test(`a bound socket counts ${what} of receive as unreachable, too`, async () => {
    const { carrier, socket } = fakeBound();
    for (let n = 0; n < 3; n++) carrier.fail(make());
    carrier.deliver("x");
    assertEquals((await socket.receive()).text(), "x");
    assertEquals(socket.stats.unreachable, 3);
    socket.close();
  });
}

const WAYS: Record<string, (socket: DatagramSocket) => Promise<string>> = {
  receive: async (socket) => (await socket.receive()).text(),
  tryReceive: async (socket) => (await socket.tryReceive())!.text(),
  "for await": async (socket) => {
    for await (const datagram of socket) return datagram.text();
    return "";
  },
  batches: async (socket) => (await socket.batches().next()).value[0].text(),
  readable: async (socket) => {
    const reader = socket.readable.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    return value!.text();
  },
  collect: async (socket) => {
    const texts: string[] = [];
    const collector = collect(socket, {
      count: 1,
      answer: (datagram) => void texts.push(datagram.text()),
    });
    await collector.finished;
    return texts.join();
  },
};
for (const [way, receive] of Object.entries(WAYS)) {
  for (const reports of [1, 64, 1000]) {
    Deno.test(`${way} gets what comes after ${reports} reports of vanished peers`, async () => {
      const { carrier, socket } = fakeBound();
      for (let n = 0; n < reports; n++) carrier.fail(reset());
      carrier.deliver("x");
      assertEquals(await receive(socket), "x");
      assertEquals(socket.stats.unreachable, reports);
      socket.close();
    });
  }
}

Deno.test("tryReceive ends although every receive reports a vanished peer", async () => {
  await using socket = new DatagramSocket(endlessReports());
  for (let n = 0; n < 20; n++) {
    assertEquals(await socket.tryReceive(), undefined);
  }
});

Deno.test("waits end by their limits although every receive reports a vanished peer", async () => {
  await using socket = new DatagramSocket(endlessReports());
  const { TimedOut } = Deno.errors;
  const limit = { timeoutMs: 5 };
  await assertRejects(() => socket.receive(limit), TimedOut);
  await assertRejects(() => socket.batches(limit).next(), TimedOut);
  const signal = AbortSignal.timeout(5);
  await assertRejects(() => socket.receive({ signal }), DOMException);
  const iteration = socket[Symbol.asyncIterator]();
  const next = iteration.next();
  await turn();
  await iteration.return!();
  assertEquals((await next).done, true);
  const reader = socket.readable.getReader();
  const reading = reader.read();
  await turn();
  await reader.cancel();
  assertEquals((await reading).done, true);
});

Deno.test("a connected socket rejects each way of waiting with a reset, once", async () => {
  const { carrier, socket } = fakeClient();
  const waits: (() => Promise<unknown>)[] = [
    () => socket.receive(),
    () => socket.tryReceive(),
    () => socket.request("x"),
    () => socket.batches().next(),
    () => socket[Symbol.asyncIterator]().next(),
    () => socket.readable.getReader().read(),
  ];
  for (const wait of waits) {
    carrier.fail(reset());
    carrier.deliver("x");
    await assertRejects(wait, Deno.errors.ConnectionReset);
    assertEquals((await socket.receive()).text(), "x");
  }
  socket.close();
});

Deno.test("whatever a receive rejects with, the next one is called", async () => {
  const trap = () => {
    throw new Error("trap");
  };
  const causes: unknown[] = [
    new Proxy(new Error("x"), { get: trap, getPrototypeOf: trap }),
    Object.defineProperty(new Error("x"), "code", { get: trap }),
    Object.create(null),
    Symbol("x"),
    undefined,
  ];
  for (const { carrier, socket } of [fakeBound(), fakeClient()]) {
    for (const cause of causes) {
      const receive = carrier.receive.bind(carrier);
      carrier.receive = () => {
        carrier.receive = receive;
        return Promise.reject(cause);
      };
      const error = await assertRejects(() => socket.receive(), Error);
      assertEquals(error.message.startsWith("Cannot receive on udp:"), true);
      carrier.deliver("x");
      assertEquals((await socket.receive()).text(), "x");
    }
    socket.close();
  }
});

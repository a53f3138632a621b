import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { type Answer, bind, connect, serve } from "../mod.ts";
import { FakeClock, fakeServer } from "./support/fakes.ts";
import {
  consoleErrors,
  LOOPBACK,
  pattern,
  PEER,
  SOON,
  turn,
} from "./support/helpers.ts";

Deno.test("a server answers each datagram to its sender", async () => {
  await using server = serve(LOOPBACK, (datagram) => `re: ${datagram.text()}`);
  await using a = await connect(server.addr);
  await using b = await connect(server.addr);
  await a.send("a");
  await b.send("b");
  assertEquals((await b.receive(SOON)).text(), "re: b");
  assertEquals((await a.receive(SOON)).text(), "re: a");
  const { received, sent } = server.stats;
  assertEquals([received, sent], [2, 2]);
});

Deno.test("a handler's answer is sent, also an empty one, but not undefined", async () => {
  const { carrier, errors, server } = fakeServer(
    (datagram): Answer | Promise<Answer> => {
      switch (datagram.text()) {
        case "text":
          return "";
        case "bytes":
          return new Uint8Array(0);
        case "promise":
          return Promise.resolve(pattern(2));
        case "nothing":
          return undefined;
      }
    },
  );
  for (const text of ["text", "bytes", "promise", "nothing", "else"]) {
    carrier.deliver(text);
  }
  await turn();
  assertEquals(carrier.sent.map(({ data }) => data), [
    new Uint8Array(0),
    new Uint8Array(0),
    pattern(2),
  ]);
  assertEquals(carrier.sent.map(({ to }) => to), [PEER, PEER, PEER]);
  assertEquals(errors, []);
  await server.shutdown();
});

Deno.test("onListen is called once with the address", async () => {
  const listening = Promise.withResolvers<Deno.NetAddr>();
  await using server = serve(LOOPBACK, () => {}, {
    onListen: listening.resolve,
  });
  assertStrictEquals(await listening.promise, server.addr);
  assert(server.addr.port > 0);
});

for (const kind of ["throws", "rejects"] as const) {
  Deno.test(`a handler that ${kind} is reported, and the server goes on`, async () => {
    const oops = new Error("oops");
    const { carrier, errors, server } = fakeServer((datagram) => {
      if (datagram.text() !== "bad") return "fine";
      if (kind === "throws") throw oops;
      return Promise.reject(oops);
    });
    for (const text of ["bad", "good", "bad"]) carrier.deliver(text);
    await turn();
    assertEquals(carrier.sentTexts, ["fine"]);
    assertEquals(errors.length, 2);
    for (const [error, datagram] of errors) {
      assertStrictEquals(error, oops);
      assertEquals(datagram?.text(), "bad");
    }
    await server.shutdown();
  });
}

Deno.test("an answer that cannot be sent is reported, and the server goes on", async () => {
  const { carrier, errors, server } = fakeServer((datagram) =>
    datagram.text() === "large" ? pattern(65_508) : datagram.data
  );
  carrier.deliver("large");
  await turn();
  carrier.onSend = () => Promise.reject(new Deno.errors.NetworkUnreachable());
  carrier.deliver("unreachable");
  await turn();
  carrier.onSend = (data) => Promise.resolve(data.length);
  carrier.deliver("good");
  await turn();
  assertEquals(
    errors.map(([error, datagram]) => [
      (error as Error).name,
      datagram?.text(),
    ]),
    [["MessageTooLargeError", "large"], ["NetworkUnreachable", "unreachable"]],
  );
  const { sent, sendFailed } = server.stats;
  assertEquals([sent, sendFailed], [1, 2]);
  await server.shutdown();
});

Deno.test("an answer of the wrong type is reported as a TypeError", async () => {
  const { carrier, errors, server } = fakeServer(() => 7 as unknown as string);
  carrier.deliver("a");
  await turn();
  assertInstanceOf(errors[0]?.[0], TypeError);
  await server.shutdown();
});

Deno.test("an error of the carrier is reported, and the server goes on", async () => {
  const reported = Promise.withResolvers<unknown[]>();
  const handled = Promise.withResolvers<string>();
  const { carrier, server } = fakeServer(
    (datagram) => handled.resolve(datagram.text()),
    { onError: (...args) => reported.resolve(args) },
  );
  carrier.fail(new Deno.errors.NetworkUnreachable("oops"));
  const [error, datagram] = await reported.promise;
  assertInstanceOf(error, Deno.errors.NetworkUnreachable);
  assertEquals(datagram, undefined);
  carrier.deliver("next");
  assertEquals(await handled.promise, "next");
  await server.shutdown();
});

Deno.test("after an error of the carrier the server pauses, by the carrier's clock", async () => {
  const clock = new FakeClock();
  const { carrier, errors, server } = fakeServer((datagram) => datagram.data, {
    clock,
  });
  carrier.fail(new Deno.errors.NetworkUnreachable("oops"));
  carrier.deliver("a");
  await turn();
  assertEquals([errors.length, carrier.reading, carrier.queued], [1, false, 1]);
  clock.advance(10);
  await turn();
  assertEquals(carrier.sentTexts, ["a"]);
  await server.shutdown();
});

Deno.test("an onError that throws does not end the server", async () => {
  const { carrier, server } = fakeServer((datagram) => {
    if (datagram.text() === "bad") throw new Error("oops");
    return "fine";
  }, {
    onError() {
      throw new Error("\x1b[2Jworse");
    },
  });
  const printed = await consoleErrors(async () => {
    for (const text of ["bad", "good"]) carrier.deliver(text);
    await turn();
  });
  assertEquals(carrier.sentTexts, ["fine"]);
  assertEquals(printed, [["Error: \\x1b[2Jworse"]]);
  await server.shutdown();
});

Deno.test("without onError an error is printed on one line, escaped", async () => {
  const { carrier, server } = fakeServer((datagram) => {
    throw new Error(datagram.text());
  }, { onError: undefined });
  const printed = await consoleErrors(async () => {
    carrier.deliver("\x1b]0;title\x07\nsecond line\u202e");
    await turn();
  });
  assertEquals(printed.length, 1);
  assertEquals(
    printed[0],
    ["Error: \\x1b]0;title\\x07\\nsecond line\\u202e"],
  );
  await server.shutdown();
});

Deno.test("a server reads only while fewer than maxConcurrent handlers run", async () => {
  const gates = new Map<string, () => void>();
  const { carrier, server } = fakeServer(
    (datagram) =>
      new Promise((resolve) =>
        gates.set(datagram.text(), () => resolve(datagram.data))
      ),
    { maxConcurrent: 2 },
  );
  for (const text of ["a", "b", "c", "d"]) carrier.deliver(text);
  await turn();
  assertEquals([...gates.keys()], ["a", "b"]);
  assertEquals([carrier.reading, carrier.queued], [false, 2]);
  gates.get("b")?.();
  await turn();
  assertEquals([...gates.keys()], ["a", "b", "c"]);
  assertEquals([carrier.reading, carrier.queued], [false, 1]);
  for (const text of ["a", "c"]) gates.get(text)?.();
  await turn();
  assertEquals([carrier.reading, carrier.queued], [true, 0]);
  gates.get("d")?.();
  await turn();
  assertEquals(carrier.sentTexts, ["b", "a", "c", "d"]);
  await server.shutdown();
});

Deno.test("with a maxConcurrent of 1 answers are in the order of arrival", async () => {
  let first = true;
  const { carrier, server } = fakeServer(async (datagram) => {
    if (first) {
      first = false;
      await turn();
    }
    return datagram.data;
  }, { maxConcurrent: 1 });
  for (const text of ["slow", "b", "c"]) carrier.deliver(text);
  while (carrier.sent.length < 3) await turn();
  assertEquals(carrier.sentTexts, ["slow", "b", "c"]);
  await server.shutdown();
});

Deno.test("a handler that waits does not delay the others", async () => {
  const gate = Promise.withResolvers<string>();
  const { carrier, server } = fakeServer((datagram) =>
    datagram.text() === "slow" ? gate.promise : datagram.data
  );
  for (const text of ["slow", "b", "c"]) carrier.deliver(text);
  await turn();
  assertEquals(carrier.sentTexts, ["b", "c"]);
  gate.resolve("slow");
  await turn();
  assertEquals(carrier.sentTexts, ["b", "c", "slow"]);
  await server.shutdown();
});

for (const maxConcurrent of [0, -1, 1.5, NaN]) {
  Deno.test(`a maxConcurrent of ${maxConcurrent} is a RangeError`, () => {
    const carrier = {
      listen: () => {
        throw new Error("bound");
      },
    };
    const error = assertThrows(
      () => serve(LOOPBACK, () => {}, { maxConcurrent, carrier }),
      RangeError,
    );
    assertMatch(error.message, new RegExp(`given ${maxConcurrent}$`));
  });
}

Deno.test("maxConcurrent may be Infinity", async () => {
  const gate = Promise.withResolvers<undefined>();
  let started = 0;
  const { carrier, server } = fakeServer(() => (started++, gate.promise), {
    maxConcurrent: Infinity,
  });
  for (let i = 0; i < 2000; i++) carrier.deliver("a");
  while (started < 2000) await turn();
  gate.resolve(undefined);
  await server.shutdown();
});

Deno.test("serve throws the errors of bind", async () => {
  await using socket = bind(LOOPBACK);
  assertThrows(() => serve(socket.addr, () => {}), Deno.errors.AddrInUse);
});

Deno.test("a server forwards ref, unref and kernelDrops", async () => {
  const { carrier, server } = fakeServer(() => {});
  await turn();
  server.unref();
  assertEquals(carrier.isReferenced, false);
  server.ref();
  assertEquals(carrier.isReferenced, true);
  assertEquals(await server.kernelDrops(), undefined);
  await server.shutdown();
});

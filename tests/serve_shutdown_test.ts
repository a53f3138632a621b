import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { bind, serve } from "../mod.ts";
import { countingSignal, fakeServer } from "./support/fakes.ts";
import { isPending, LOOPBACK, turn } from "./support/helpers.ts";

for (const how of ["shutdown", "signal", "dispose"] as const) {
  Deno.test(`${how} waits for the running handlers and their answers, then closes`, async () => {
    const gate = Promise.withResolvers<string>();
    const controller = new AbortController();
    const { carrier, errors, server } = fakeServer(() => gate.promise, {
      signal: controller.signal,
    });
    carrier.deliver("a");
    await turn();
    if (how === "shutdown") server.shutdown();
    if (how === "signal") controller.abort();
    if (how === "dispose") server[Symbol.asyncDispose]();
    assertEquals(await isPending(server.finished), true);
    assertEquals(carrier.calls.includes("close"), false);
    gate.resolve("answer");
    await server.finished;
    assertEquals(carrier.sentTexts, ["answer"]);
    assertEquals(carrier.calls.filter((call) => call === "close").length, 1);
    assertEquals(errors, []);
  });
}

Deno.test("a server that shuts down handles no further datagram", async () => {
  const { carrier, server } = fakeServer((datagram) => datagram.data);
  await turn();
  const done = server.shutdown();
  carrier.deliver("late");
  await done;
  assertEquals(carrier.sent, []);
  const { received, dropped } = server.stats;
  assertEquals(received + (dropped["closed"] ?? 0), carrier.delivered);
});

Deno.test("after shutdown the port is free at once", async () => {
  const first = serve(LOOPBACK, () => {});
  const { addr } = first;
  await first.shutdown();
  for (let i = 0; i < 20; i++) {
    await using _server = serve(addr, () => {});
  }
  await using socket = bind(addr);
  assertEquals(socket.addr, addr);
});

Deno.test("shutting down twice closes once", async () => {
  const { carrier, server } = fakeServer(() => {});
  await Promise.all([server.shutdown(), server.shutdown()]);
  await server.shutdown();
  assertEquals(carrier.calls.filter((call) => call === "close").length, 1);
});

Deno.test("a server with an aborted signal ends without receiving", async () => {
  const { carrier, server } = fakeServer((datagram) => datagram.data, {
    signal: AbortSignal.abort(),
  });
  carrier.deliver("a");
  await server.finished;
  assertEquals(carrier.delivered, 0);
  assert(carrier.calls.includes("close"));
});

Deno.test("a server finishes if its carrier closes", async () => {
  const { carrier, server } = fakeServer(() => {});
  await turn();
  carrier.fail(new Deno.errors.Interrupted("closed"));
  await server.finished;
});

Deno.test("an onListen that throws closes the socket", async () => {
  const oops = new Error("oops");
  const { carrier, server } = fakeServer(() => {}, {
    onListen() {
      throw oops;
    },
  });
  assertStrictEquals(await server.finished.catch((error) => error), oops);
  assert(carrier.calls.includes("close"));
});

Deno.test("a server that has ended does not listen to its signal", async () => {
  const { signal, listeners } = countingSignal();
  const { carrier, server } = fakeServer(() => {}, { signal });
  await turn();
  assertEquals(listeners(), 1);
  carrier.fail(new Deno.errors.Interrupted("closed"));
  await server.finished;
  assertEquals(listeners(), 0);
});

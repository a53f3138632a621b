import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { DatagramSocket } from "../mod.ts";
import {
  clockedClient,
  countingSignal,
  fakeBound,
  FakeCarrier,
  fakeClient,
  FakeClock,
} from "./support/fakes.ts";
import { isPending, PEER, turn } from "./support/helpers.ts";

Deno.test("a send that waits for its carrier times out by the carrier's clock", async () => {
  const clock = new FakeClock();
  const { carrier, socket } = fakeClient({ clock });
  carrier.onSend = () => new Promise(() => {});
  const sending = socket.send("x", { timeoutMs: 100 });
  assertEquals(clock.timers, 1);
  clock.advance(99);
  assertEquals(await isPending(sending), true);
  clock.advance(1);
  const error = await assertRejects(() => sending, Deno.errors.TimedOut);
  assertStringIncludes(error.message, "within 100 ms");
  assertEquals(clock.timers, 0);
  assertEquals(socket.stats.sendFailed, 1);
  socket.close();
});

Deno.test("an aborted send rejects with the signal's reason", async () => {
  const { carrier, socket } = fakeBound();
  carrier.onSend = () => new Promise(() => {});
  for (const reason of [new Error("stop"), "stop", undefined]) {
    const controller = new AbortController();
    const sending = socket.send("x", PEER, { signal: controller.signal });
    await turn();
    controller.abort(reason);
    const thrown = await sending.catch((error) => error);
    assertStrictEquals(thrown, controller.signal.reason);
  }
  assertEquals(socket.stats.sendFailed, 3);
  socket.close();
});

Deno.test("a send with an aborted signal sends nothing", async () => {
  const { carrier, socket } = fakeClient();
  const signal = AbortSignal.abort("no");
  const thrown = await socket.send("x", { signal }).catch((error) => error);
  assertStrictEquals(thrown, "no");
  assertEquals(carrier.sent, []);
  assertEquals(socket.stats.sendFailed, 1);
  socket.close();
});

Deno.test("a send that is done in time leaves no timer", async () => {
  const clock = new FakeClock();
  const { socket } = fakeClient({ clock });
  await socket.send("x", { timeoutMs: 100 });
  await turn();
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a carrier's send that rejects after the time-out is handled", async () => {
  const clock = new FakeClock();
  const { carrier, socket } = fakeClient({ clock });
  const late = Promise.withResolvers<number>();
  carrier.onSend = () => late.promise;
  const sending = socket.send("x", { timeoutMs: 1 });
  clock.advance(1);
  await assertRejects(() => sending, Deno.errors.TimedOut);
  late.reject(new Error("late"));
  await turn();
  assertEquals(socket.stats.sendFailed, 1);
  socket.close();
});

Deno.test("a send's timeoutMs out of range is a RangeError, and nothing is sent", async () => {
  const { carrier, socket } = fakeClient();
  for (const timeoutMs of [-1, 2 ** 31, NaN]) {
    await assertRejects(
      () => socket.send("x", { timeoutMs }),
      RangeError,
      `given ${timeoutMs}`,
    );
  }
  assertEquals(carrier.sent, []);
  socket.close();
});

Deno.test("a send that gives up leaves no timer and no listener", async () => {
  const { clock, carrier, socket } = clockedClient();
  carrier.onSend = () => new Promise(() => {});
  for (const how of ["abort", "timeout"]) {
    const { signal, listeners, abort } = countingSignal();
    // The second one waits for the first.
    const sending = ["a", "b"].map((text) =>
      socket.send(text, { timeoutMs: 1000, signal })
    );
    const outcomes = Promise.allSettled(sending);
    assertEquals([clock.timers, listeners()], [2, 2]);
    if (how === "abort") abort();
    else clock.advance(1000);
    await outcomes;
    await turn();
    assertEquals([clock.timers, listeners()], [0, 0], how);
  }
  assertEquals(socket.stats.sendFailed, 4);
  socket.close();
});

Deno.test("a send that gives up while it waits for another is never sent", async () => {
  const { clock, carrier, socket } = clockedClient();
  const gate = Promise.withResolvers<number>();
  carrier.onSend = () => gate.promise;
  const first = socket.send("first");
  const second = socket.send("second", { timeoutMs: 1 });
  const third = socket.send("third");
  clock.advance(1);
  await assertRejects(() => second, Deno.errors.TimedOut);
  gate.resolve(1);
  await Promise.all([first, third]);
  assertEquals(carrier.sentTexts, ["first", "third"]);
  socket.close();
});

Deno.test("to a unix peer a send waits a second unless it is given another limit", async () => {
  const clock = new FakeClock();
  const to = { transport: "unixpacket", path: "/run/a.sock" } as const;
  const carrier = Object.assign(new FakeCarrier({ clock }), {
    addr: { transport: "unixpacket", path: "/run/b.sock" } as const,
    onSend: () => new Promise<number>(() => {}),
  });
  const socket = new DatagramSocket<Deno.UnixAddr>(carrier);
  const { signal } = new AbortController();
  const limited = [
    socket.send("a", to),
    socket.send("b", to, {}),
    socket.send("c", to, { signal }),
  ];
  const patient = socket.send("d", to, { timeoutMs: Infinity });
  const outcomes = Promise.allSettled(limited);
  clock.advance(999);
  assertEquals(await isPending(outcomes), true);
  clock.advance(1);
  for (const outcome of await outcomes) {
    assertEquals(outcome.status, "rejected");
  }
  clock.advance(2 ** 31);
  assertEquals(await isPending(patient), true);
  patient.catch(() => {});
  socket.close();
});

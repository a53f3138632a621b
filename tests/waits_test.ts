import { assertEquals, assertRejects } from "@std/assert";
import { turnIsDue } from "../lib/turns.ts";
import { SocketClosedError } from "../mod.ts";
import {
  clockedClient,
  countingSignal,
  fakeBound,
  fakeClient,
  FakeClock,
} from "./support/fakes.ts";
import { isPending, turn } from "./support/helpers.ts";

Deno.test("a receive times out by the carrier's clock", async () => {
  const { clock, carrier, socket } = clockedClient();
  const receiving = socket.receive({ timeoutMs: 2 ** 31 - 1 });
  clock.advance(2 ** 31 - 2);
  assertEquals(await isPending(receiving), true);
  clock.advance(1);
  await assertRejects(() => receiving, Deno.errors.TimedOut);
  carrier.deliver("kept");
  assertEquals((await socket.receive({ timeoutMs: 1 })).text(), "kept");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("tryReceive waits one turn of the carrier's clock", async () => {
  const { clock, carrier, socket } = clockedClient();
  const none = socket.tryReceive();
  assertEquals(await isPending(none), true);
  clock.advance(0);
  assertEquals(await none, undefined);
  carrier.deliver("a");
  await turn();
  assertEquals((await socket.tryReceive())?.text(), "a");
  assertEquals(clock.timers, 0);
  socket.close();
});

Deno.test("a wait that is over leaves no timer and no listener", async () => {
  const { clock, carrier, socket } = clockedClient();
  const counting = countingSignal();
  const options = { timeoutMs: 5, signal: counting.signal };
  const outcomes = () =>
    Promise.allSettled([
      socket.receive(options),
      socket.request("x", { ...options, match: () => false }),
    ]);
  const delivered = outcomes();
  carrier.deliver("a");
  await turn();
  clock.advance(5);
  await delivered;
  assertEquals([clock.timers, counting.listeners()], [0, 0]);
  const failed = outcomes();
  carrier.fail(new Error("a"));
  carrier.fail(new Error("b"));
  await failed;
  assertEquals([clock.timers, counting.listeners()], [0, 0]);
  const aborted = outcomes();
  counting.abort();
  await aborted;
  assertEquals([clock.timers, counting.listeners()], [0, 0]);
  const again = countingSignal();
  const closed = socket.receive({ timeoutMs: 5, signal: again.signal });
  socket.close();
  await assertRejects(() => closed, Error);
  await assertRejects(
    () => socket.receive({ timeoutMs: 5, signal: again.signal }),
    Error,
  );
  await assertRejects(
    () => socket.request("y", { timeoutMs: 5, signal: again.signal }),
    Error,
  );
  assertEquals([clock.timers, again.listeners()], [0, 0]);
});

Deno.test("a wait that is ended by its own clock leaves no timer", async () => {
  // The first timer of a program may make the system run pending callbacks.
  class Hasty extends FakeClock {
    onAfter = () => {};
    override after(ms: number, callback: () => void) {
      this.onAfter();
      return super.after(ms, callback);
    }
  }
  for (const wait of ["receive", "tryReceive", "request"] as const) {
    const clock = new Hasty();
    const { socket } = fakeClient({ clock });
    clock.onAfter = () => socket.close();
    const waiting = wait === "receive"
      ? socket.receive({ timeoutMs: 5 })
      : wait === "tryReceive"
      ? socket.tryReceive()
      : socket.request("ping");
    await assertRejects(() => waiting, SocketClosedError);
    assertEquals(clock.timers, 0, wait);
  }
});

Deno.test("ref and unref go to the carrier", () => {
  const { carrier, socket } = fakeBound();
  socket.receive().catch(() => {});
  assertEquals(carrier.isReferenced, true);
  socket.unref();
  assertEquals(carrier.isReferenced, false);
  socket.ref();
  assertEquals(carrier.isReferenced, true);
  socket.close();
});

Deno.test("only a receive that still waits keeps the program running", async () => {
  const clock = new FakeClock();
  const { carrier, socket } = fakeBound({ clock });
  const first = socket.receive({ timeoutMs: 1 });
  assertEquals(carrier.isReferenced, true);
  clock.advance(1);
  await assertRejects(() => first, Deno.errors.TimedOut);
  assertEquals(carrier.isReferenced, false);
  socket.unref();
  socket.ref();
  assertEquals(carrier.isReferenced, false);
  const second = socket.receive();
  assertEquals(carrier.isReferenced, true);
  carrier.deliver("a");
  await second;
  socket.close();
});

Deno.test("an unreferenced socket stays so, whatever is received", async () => {
  const clock = new FakeClock();
  const { carrier, socket } = fakeBound({ clock });
  socket.unref();
  const first = socket.receive({ timeoutMs: 1 });
  clock.advance(1);
  await assertRejects(() => first, Deno.errors.TimedOut);
  const second = socket.receive();
  assertEquals(carrier.isReferenced, false);
  carrier.deliver("a");
  await second;
  assertEquals(carrier.isReferenced, false);
  socket.close();
});

Deno.test("a receive that gives up releases no other receive", async () => {
  const clock = new FakeClock();
  const { carrier, socket } = fakeBound({ clock });
  const patient = socket.receive();
  const hasty = socket.receive({ timeoutMs: 1 });
  clock.advance(1);
  await assertRejects(() => hasty, Deno.errors.TimedOut);
  assertEquals(carrier.isReferenced, true);
  carrier.deliver("a");
  assertEquals((await patient).text(), "a");
  socket.close();
});

Deno.test("tryReceive waits for the event loop although its clock calls back at once", async () => {
  const { clock, socket } = clockedClient();
  const start = performance.now();
  turnIsDue();
  while (performance.now() - start < 4);
  // One of these finds that a turn is due: from then on the inbox rests.
  const looks = Array.from({ length: 20 }, () => socket.tryReceive());
  let found = 0;
  for (const look of looks) look.then(() => found++);
  while (found < looks.length) {
    clock.advance(1);
    await turn();
  }
  assertEquals((await Promise.all(looks)).length, 20);
  socket.close();
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import timers from "node:timers";
import promises from "node:timers/promises";
import { AsyncLocalStorage } from "node:async_hooks";
import { promisify } from "node:util";
import { simulateNetwork } from "../lib/testing/mod.ts";

/** Runs a program in virtual time. */
function virtually<T>(program: () => Promise<T> | T): Promise<T> {
  return simulateNetwork({ stuckMs: 1000 }).run(program);
}

/** Returns how long something takes, in virtual milliseconds. */
async function msOf(wait: () => unknown): Promise<number> {
  const start = performance.now();
  await wait();
  return performance.now() - start;
}

const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

Deno.test("timers and the network's clock are one queue: by time, then as planned", async () => {
  const network = simulateNetwork();
  const order = await network.run(async () => {
    const order: string[] = [];
    const note = (text: string) => () => void order.push(text);
    setTimeout(note("timeout 2"), 2);
    network.clock.after(2, note("clock 2"));
    setTimeout(note("timeout 2 again"), 2);
    network.clock.after(1.5, note("clock 1.5"));
    setTimeout(note("timeout 1.9"), 1.9);
    setTimeout(note("timeout 0"), 0);
    setImmediate(note("immediate"));
    network.clock.turn(note("turn"));
    await sleep(3);
    return order;
  });
  assertEquals(order, [
    "immediate",
    "turn",
    "timeout 1.9",
    "timeout 0",
    "clock 1.5",
    "timeout 2",
    "clock 2",
    "timeout 2 again",
  ]);
});

Deno.test("ten hours of timers pass, each at its time", async () => {
  const HOUR_MS = 3_600_000;
  const came = await virtually(async () => {
    const came: number[] = [];
    const start = Date.now();
    for (let hour = 10; hour > 0; hour--) {
      setTimeout(() => came.push(Date.now() - start), hour * HOUR_MS);
    }
    await sleep(10 * HOUR_MS);
    return came;
  });
  assertEquals(came, Array.from({ length: 10 }, (_, n) => (n + 1) * HOUR_MS));
});

for (
  const [delay, ms] of [
    [0, 1],
    [-1, 1],
    [NaN, 1],
    [Infinity, 1],
    [2 ** 31, 1],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [1.9, 1],
    ["7", 7],
    ["x", 1],
    [undefined, 1],
    [null, 1],
    [{}, 1],
  ] as [number, number][]
) {
  Deno.test(`a delay of ${typeof delay} ${delay} is ${ms} ms, as on the platform`, async () => {
    await virtually(async () => {
      assertEquals(
        await msOf(() => new Promise((wake) => setTimeout(wake, delay))),
        ms,
      );
      const interval = await msOf(() =>
        new Promise<void>((wake) => {
          const timer = setInterval(() => {
            clearInterval(timer);
            wake();
          }, delay);
        })
      );
      assertEquals(interval, ms);
    });
  });
}

Deno.test("a delay or a callback that the platform rejects is rejected", async () => {
  await virtually(() => {
    const set = setTimeout as (...args: unknown[]) => unknown;
    assertThrows(() => set(() => {}, 1n), TypeError);
    assertThrows(() => set(() => {}, Symbol("x")), TypeError);
    for (const callback of [undefined, "1 + 1", {}]) {
      assertThrows(() => set(callback, 1), TypeError, "callback");
    }
  });
});

Deno.test("a callback gets its arguments, and its timer as this", async () => {
  await virtually(async () => {
    const got = await new Promise((done) => {
      const timer = setTimeout(
        function (this: unknown, ...args: unknown[]) {
          done([this === timer, ...args]);
        },
        5,
        "a",
        2,
      );
    });
    assertEquals(got, [true, "a", 2]);
    assertEquals(await new Promise((done) => setImmediate(done, "b")), "b");
  });
});

Deno.test("a timer can be cleared by itself, its number, text, close and using", async () => {
  await virtually(async () => {
    let came = 0;
    const count = () => void came++;
    clearTimeout(setTimeout(count, 1));
    clearInterval(setTimeout(count, 1));
    clearTimeout(setInterval(count, 1));
    clearTimeout(+setTimeout(count, 1));
    clearTimeout(`${+setTimeout(count, 1)}`);
    setTimeout(count, 1).close();
    clearImmediate(setImmediate(count));
    {
      using _timeout = setTimeout(count, 1);
      using _immediate = setImmediate(count);
    }
    await sleep(5);
    assertEquals(came, 0);
  });
});

Deno.test("clearing what is no timer, or one of the other kind, does nothing", async () => {
  await virtually(async () => {
    let came = 0;
    const count = () => void came++;
    const clearTimer = clearTimeout as (timer: unknown) => void;
    const clearTurn = clearImmediate as (timer: unknown) => void;
    for (const odd of [undefined, null, {}, "x", NaN, -1, 5, [], count]) {
      clearTimer(odd);
      clearTurn(odd);
    }
    clearTimer(setImmediate(count));
    clearTurn(setTimeout(count, 1));
    await sleep(5);
    assertEquals(came, 2);
  });
});

Deno.test("a timer from before the run is cleared in it, and comes in it", async () => {
  const cleared = setTimeout(() => assert(false), 1);
  const numbered = setTimeout(() => assert(false), 1);
  const came = Promise.withResolvers<number>();
  setTimeout(() => came.resolve(Date.now()), 2);
  const network = simulateNetwork();
  await network.run(async () => {
    clearTimeout(cleared);
    clearTimeout(+numbered);
    const date = await network.real(() => came.promise);
    assertEquals(date, Date.now());
  });
});

Deno.test("a timer of a run that has ended can be cleared, and never comes", async () => {
  let came = 0;
  const timer = await virtually(() => setTimeout(() => came++, 1).unref());
  timer.refresh();
  assertEquals(timer.hasRef(), false);
  clearTimeout(timer);
  await virtually(() => clearTimeout(timer));
  await sleep(5);
  assertEquals(came, 0);
});

Deno.test("refresh begins again, also when the timer has come, not when it is cleared", async () => {
  await virtually(async () => {
    const came: number[] = [];
    const timer = setTimeout(() => came.push(performance.now()), 10);
    await sleep(6);
    assert(timer.refresh() === timer);
    await sleep(20);
    timer.refresh();
    await sleep(20);
    clearTimeout(timer);
    timer.refresh();
    await sleep(20);
    assertEquals(came, [16, 36]);
  });
});

Deno.test("an interval comes until it is cleared, also when it clears itself", async () => {
  await virtually(async () => {
    const came: number[] = [];
    const timer = setInterval(() => {
      came.push(performance.now());
      if (came.length === 3) clearInterval(timer);
    }, 10);
    await sleep(100);
    assertEquals(came, [10, 20, 30]);
  });
});

Deno.test("ref, unref and hasRef say whether the program waits for a timer", async () => {
  await virtually(async () => {
    const timer = setTimeout(() => {}, 1);
    assertEquals(timer.hasRef(), true);
    assertEquals(timer.unref().hasRef(), false);
    assertEquals(timer.ref().hasRef(), true);
    if ("unrefTimer" in Deno) {
      Deno.unrefTimer(timer as unknown as number);
      assertEquals(timer.hasRef(), false);
      Deno.refTimer(timer as unknown as number);
      assertEquals(timer.hasRef(), true);
    }
    const immediate = setImmediate(() => {});
    assertEquals([immediate.hasRef(), immediate.unref().hasRef()], [
      true,
      false,
    ]);
    await sleep(2);
    assertEquals(immediate.ref().hasRef(), false);
  });
});

Deno.test("microtasks, ticks and promises all come before time passes", async () => {
  await virtually(async () => {
    let flood = 0;
    const wait = sleep(1);
    for (; flood < 100_000; flood++) await null;
    await new Promise<void>((done) =>
      queueMicrotask(() => process.nextTick(() => queueMicrotask(done)))
    );
    assertEquals(performance.now(), 0);
    await wait;
    assertEquals(performance.now(), 1);
  });
});

Deno.test("a callback keeps its async context", async () => {
  const storage = new AsyncLocalStorage<string>();
  await virtually(async () => {
    const read = (plan: (done: () => void) => unknown, name: string) =>
      storage.run(
        name,
        () => new Promise((done) => plan(() => done(storage.getStore()))),
      );
    assertEquals(
      await Promise.all([
        read((done) => setTimeout(done, 5), "a"),
        read((done) => setTimeout(done, 5), "b"),
        read(setImmediate, "c"),
      ]),
      ["a", "b", "c"],
    );
  });
});

Deno.test("a program that waits by setTimeout 0, immediates or reading the time goes on", async () => {
  await virtually(async () => {
    const until = Date.now() + 20;
    while (Date.now() < until) await sleep(0);
    const later = Date.now() + 20;
    while (Date.now() < later) await new Promise((go) => setImmediate(go));
    const latest = performance.now() + 20;
    while (performance.now() < latest);
    const last = Date.now() + 20;
    while (Date.now() < last) await null;
  });
});

Deno.test("AbortSignal.timeout aborts at its time, alone and in any", async () => {
  await virtually(async () => {
    const signal = AbortSignal.timeout(3_600_000);
    const any = AbortSignal.any([signal, new AbortController().signal]);
    assertEquals(
      await msOf(() => new Promise((done) => any.onabort = done)),
      3_600_000,
    );
    assert(signal.aborted && signal.reason instanceof DOMException);
    assertEquals([any.reason.name, any.reason.code], ["TimeoutError", 23]);
    const set = AbortSignal.timeout as (ms?: unknown) => AbortSignal;
    // A TypeError on Deno, a RangeError on Node.
    assertThrows(() => set(-1), Error);
    assertThrows(() => set("x"), Error);
    assertThrows(() => set(), Error);
    assertEquals(
      await msOf(() => promises.setTimeout(2 ** 31 - 1)),
      2147483647,
    );
    assertEquals(set(2 ** 40).aborted, false);
  });
});

Deno.test("node:timers and node:timers/promises have virtual time", async () => {
  await virtually(async () => {
    const promised = promisify(setTimeout) as (ms: number) => Promise<void>;
    assertEquals(await msOf(() => promised(1000)), 1000);
    assertEquals(await msOf(() => timers.promises.setTimeout(1000)), 1000);
    assertEquals(await msOf(() => promises.scheduler.wait(1000)), 1000);
    assertEquals(await msOf(() => promises.scheduler.yield()), 0);
    assertEquals(await promises.setTimeout(5, "a"), "a");
    assertEquals(await promises.setImmediate("b"), "b");
    assertEquals(
      await msOf(() => new Promise((done) => timers.setTimeout(done, 1000))),
      1000,
    );
    const came: unknown[] = [];
    for await (const value of promises.setInterval(10, "tick")) {
      came.push(value, performance.now() % 10);
      if (came.length === 6) break;
    }
    assertEquals(came, ["tick", 5, "tick", 5, "tick", 5]);
  });
});

Deno.test("waits of node:timers/promises are aborted, with the reason as the cause", async () => {
  await virtually(async () => {
    const waits = [
      (signal: AbortSignal) => promises.setTimeout(1e6, 0, { signal }),
      (signal: AbortSignal) => promises.scheduler.wait(1e6, { signal }),
      (signal: AbortSignal) =>
        promises.setInterval(1e6, 0, { signal })[Symbol.asyncIterator]()
          .next() as Promise<unknown>,
    ];
    for (const wait of waits) {
      const late = new AbortController();
      setTimeout(() => late.abort("why"), 10);
      for (const signal of [late.signal, AbortSignal.abort("why")]) {
        const error = await assertRejects(() => wait(signal), Error) as
          & Error
          & { code: string };
        assertEquals([error.name, error.code, error.cause], [
          "AbortError",
          "ABORT_ERR",
          "why",
        ]);
      }
    }
    const wrong = { signal: 5 as unknown as AbortSignal };
    await assertRejects(() => promises.setTimeout(1, 0, wrong), TypeError);
  });
});

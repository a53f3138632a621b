import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { bind, connect, type Datagram } from "../mod.ts";
import { LOOPBACK, pattern, SOON, testBoth } from "./support/helpers.ts";

testBoth(
  "a receive that times out leaves the datagram for the next receive",
  async (open) => {
    await using pair = await open();
    await assertRejects(
      () => pair.socket.receive({ timeoutMs: 1 }),
      Deno.errors.TimedOut,
      `:${pair.socket.addr.port}: no datagram within 1 ms`,
    );
    await pair.send("kept");
    assertEquals((await pair.socket.receive(SOON)).text(), "kept");
  },
);

testBoth(
  "an aborted receive leaves the datagram for the next receive",
  async (open) => {
    await using pair = await open();
    const controller = new AbortController();
    const receiving = pair.socket.receive({ signal: controller.signal });
    controller.abort();
    await assertRejects(() => receiving, DOMException);
    await pair.send("kept");
    assertEquals((await pair.socket.receive(SOON)).text(), "kept");
  },
);

testBoth(
  "an aborted receive rejects with the signal's reason",
  async (open) => {
    await using pair = await open();
    for (const reason of [new Error("stop"), "stop", 0, null]) {
      const controller = new AbortController();
      const receiving = pair.socket.receive({ signal: controller.signal });
      controller.abort(reason);
      const thrown = await receiving.then(() => "a datagram", (error) => error);
      assertStrictEquals(thrown, reason);
    }
  },
);

testBoth(
  "a receive with an aborted signal consumes no datagram",
  async (open) => {
    await using pair = await open();
    await pair.send("kept");
    const reason = new Error("too late");
    const signal = AbortSignal.abort(reason);
    const thrown = await pair.socket.receive({ signal }).catch((error) =>
      error
    );
    assertStrictEquals(thrown, reason);
    assertEquals((await pair.socket.receive(SOON)).text(), "kept");
  },
);

testBoth(
  "a signal that aborts after the datagram arrived has no effect",
  async (open) => {
    await using pair = await open();
    const controller = new AbortController();
    await pair.send("a");
    const datagram = await pair.socket.receive({ signal: controller.signal });
    controller.abort();
    assertEquals(datagram.text(), "a");
    await pair.send("b");
    assertEquals((await pair.socket.receive(SOON)).text(), "b");
  },
);

testBoth(
  "concurrent receives are served in the order of the calls",
  async (open) => {
    await using pair = await open();
    const receiving = Array.from(
      { length: 50 },
      () => pair.socket.receive(SOON),
    );
    for (let i = 0; i < 50; i++) {
      await pair.send(`${i}`);
    }
    assertEquals(
      texts(await Promise.all(receiving)),
      Array.from({ length: 50 }, (_, i) => `${i}`),
    );
  },
);

testBoth(
  "a receive that gives up has no effect on those before and after it",
  async (open) => {
    await using pair = await open();
    const controller = new AbortController();
    const first = pair.socket.receive(SOON);
    const second = pair.socket.receive({ signal: controller.signal });
    const third = pair.socket.receive(SOON);
    controller.abort(new Error("stop"));
    await assertRejects(() => second, Error, "stop");
    await pair.send("a");
    await pair.send("b");
    assertEquals(texts(await Promise.all([first, third])), ["a", "b"]);
  },
);

for (const size of [0, 1, 1_472, 65_507]) {
  testBoth(`${size} bytes arrive complete`, async (open) => {
    await using pair = await open();
    await pair.send(pattern(size));
    const { data, truncated } = await pair.socket.receive(SOON);
    assertEquals(data, pattern(size));
    assertEquals(truncated, false);
  });
}

testBoth("one send is one datagram, whatever its size", async (open) => {
  await using pair = await open();
  const sizes = [5, 0, 1_000, 0, 3, 9_000, 1];
  for (const size of sizes) await pair.send(pattern(size));
  for (const size of sizes) {
    assertEquals((await pair.socket.receive(SOON)).data, pattern(size));
  }
  assertEquals(await pair.socket.tryReceive(), undefined);
});

testBoth("a datagram as long as maxSize is not cut", async (open) => {
  await using pair = await open({ maxSize: 100 });
  await pair.send(pattern(100));
  const { data, truncated } = await pair.socket.receive(SOON);
  assertEquals(data, pattern(100));
  assertEquals(truncated, false);
  assertEquals(pair.socket.stats.truncated, 0);
});

testBoth(
  "a datagram one byte longer than maxSize is cut, marked and counted",
  async (open) => {
    await using pair = await open({ maxSize: 100 });
    await pair.send(pattern(101));
    const { data, truncated } = await pair.socket.receive(SOON);
    assertEquals(data, pattern(101).subarray(0, 100));
    assertEquals(truncated, true);
    assertEquals(pair.socket.stats.truncated, 1);
    assertEquals(pair.socket.stats.bytes, 100);
    await pair.send("next");
    assertEquals((await pair.socket.receive(SOON)).text(), "next");
  },
);

testBoth(
  "with a maxSize of 0 only empty datagrams are not cut",
  async (open) => {
    await using pair = await open({ maxSize: 0 });
    await pair.send("");
    await pair.send("a");
    const got = [
      await pair.socket.receive(SOON),
      await pair.socket.receive(SOON),
    ];
    assertEquals(got.map(({ data }) => data.length), [0, 0]);
    assertEquals(got.map(({ truncated }) => truncated), [false, true]);
  },
);

testBoth("tryReceive returns each of 300 datagrams that wait", async (open) => {
  await using pair = await open({ maxSize: 16 });
  const got: string[] = [];
  // A default buffer of Linux holds at least 256 tiny datagrams.
  for (let sent = 0; sent < 300;) {
    for (let i = 0; i < 150; i++) await pair.send(`${sent++}`);
    for (let datagram; (datagram = await pair.socket.tryReceive());) {
      got.push(datagram.text());
    }
    assertEquals(got.length, sent);
  }
  assertEquals(got, Array.from({ length: 300 }, (_, i) => `${i}`));
});

testBoth(
  "tryReceive returns undefined if no datagram waits, and consumes none",
  async (open) => {
    await using pair = await open();
    for (let i = 0; i < 20; i++) {
      assertEquals(await pair.socket.tryReceive(), undefined);
      await pair.send(`${i}`);
      assertEquals((await pair.socket.tryReceive())?.text(), `${i}`);
    }
  },
);

testBoth(
  "later datagrams do not change a datagram's bytes",
  async (open) => {
    await using pair = await open();
    const kept: Datagram[] = [];
    for (let i = 0; i < 200; i++) {
      await pair.send(pattern(i * 37));
      kept.push(await pair.socket.receive(SOON));
    }
    assertEquals(
      kept.map(({ data }) => data),
      kept.map((_, i) => pattern(i * 37)),
    );
    for (const { data } of kept) data.fill(0xff);
    await pair.send("untouched");
    const { data } = await pair.socket.receive(SOON);
    for (const earlier of kept) earlier.data.fill(0);
    assertEquals(new TextDecoder().decode(data), "untouched");
  },
);

testBoth(
  "a flood is held outside the program, in order, while it does not receive",
  async (open) => {
    await using pair = await open({ maxSize: 16 });
    await assertRejects(
      () => pair.socket.receive({ timeoutMs: 0 }),
      Deno.errors.TimedOut,
    );
    for (let i = 0; i < 10_000; i++) await pair.send(`${i}`);
    // One receive was in flight when its caller gave up.
    assert(pair.socket.stats.waiting <= 1);
    const got: number[] = [];
    for (let datagram; (datagram = await pair.socket.tryReceive());) {
      got.push(Number(datagram.text()));
    }
    assert(got.length >= 100 && got.length <= 10_000, `got ${got.length}`);
    assertEquals(got, got.toSorted((a, b) => a - b));
    assertEquals(new Set(got).size, got.length);
    assertEquals(got[0], 0);
    const { received, waiting, dropped } = pair.socket.stats;
    assertEquals({ received, waiting }, { received: got.length, waiting: 0 });
    assertEquals(dropped, { stranger: 0, queueFull: 0, closed: 0 });
  },
);

testBoth("a timeoutMs out of range is a RangeError", async (open) => {
  await using pair = await open();
  for (const timeoutMs of [-1, 2 ** 31, NaN, -Infinity]) {
    await assertRejects(
      () => pair.socket.receive({ timeoutMs }),
      RangeError,
      `given ${timeoutMs}`,
    );
  }
  await pair.send("a");
  const datagram = await pair.socket.receive({ timeoutMs: Infinity });
  assertEquals(datagram.text(), "a");
});

for (const maxSize of [-1, 1.5, NaN, Infinity, 64 * 1024 * 1024 + 1]) {
  Deno.test(`a maxSize of ${maxSize} is a RangeError`, async () => {
    const message = `given ${maxSize}`;
    assertThrows(() => bind(LOOPBACK, { maxSize }), RangeError, message);
    await assertRejects(
      () => connect("udp://127.0.0.1:5", { maxSize }),
      RangeError,
      message,
    );
  });
}

function texts(datagrams: Datagram[]): string[] {
  return datagrams.map((datagram) => datagram.text());
}

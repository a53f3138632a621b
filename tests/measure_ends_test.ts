import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Carrier,
  type CarrierSource,
  errors,
  MessageTooLargeError,
} from "../mod.ts";
import {
  measure,
  type MeasureOptions,
  type MeasureResult,
  reflect,
} from "../lib/measure.ts";
import { encodeAnswer } from "../lib/measure/stamp.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { random } from "./support/helpers.ts";
import { startReflector } from "./support/reflectors.ts";

const REFLECTOR = "udp://10.0.0.1:62862";

/** Checks that whatever is lost has its place. */
function assertAddsUp({ sent, received, lost }: MeasureResult): void {
  const sum = Object.values(lost).reduce((total, n) => total + n, 0);
  assertEquals(sum, sent - received);
  assert(Object.values(lost).every((n) => n >= 0), JSON.stringify(lost));
}

/** Measures with a reflector of this library. */
function measured(
  options: MeasureOptions,
  use: (running: ReturnType<typeof measure>) => unknown = () => {},
): Promise<MeasureResult> {
  const network = simulateNetwork();
  return network.run(async () => {
    await using _reflector = reflect(REFLECTOR, {
      carrier: network,
      allow: ["10.0.0.0/8", "127.0.0.0/8"],
    });
    await using running = measure(REFLECTOR, { carrier: network, ...options });
    await use(running);
    return await running.result;
  });
}

const WRONG: readonly [MeasureOptions, string][] = [
  [{ rate: 0 }, "rate must be a number above 0"],
  [{ rate: 1, bitsPerSecond: 1 }, "rate and bitsPerSecond: give one of them"],
  [{ count: 1, durationMs: 1 }, "count and durationMs: give one of them"],
  [{ count: 0 }, "count must be a whole number from 1"],
  [{ size: 43 }, "size must be a whole number from 44 to 65507: given 43"],
  [{ size: [] }, 'size must be a number of bytes, a list of them, or "imix"'],
  [{ burst: 0 }, "burst must be a whole number from 1"],
  [{ waitMs: Infinity }, "waitMs must be finite"],
  [{ rate: 1e9 }, "waitMs must be at most 1 at 1000000000 per second"],
  [{ intervalMs: 0 }, "intervalMs must be milliseconds from 1"],
  [{ omitMs: -1 }, "omitMs must be milliseconds from 0"],
  [{ ssid: 65_536 }, "ssid must be a whole number from 1 to 65535"],
  [{ oneWay: 1 as never }, "oneWay must be true or false: given 1"],
  [{ onPacket: 1 as never }, "onPacket must be a function: given 1"],
  [{ signal: {} as never }, "signal must be an AbortSignal"],
];

for (const [options, message] of WRONG) {
  Deno.test(`measure rejects wrong options: ${message}`, () => {
    const error = assertThrows(() => measure(REFLECTOR, options), Error);
    assert(
      error.message.startsWith(`Cannot measure: ${message}`),
      error.message,
    );
  });
}

Deno.test("stop ends a measurement early, and its result covers what was sent", async () => {
  const result = await measured(
    { rate: 100, durationMs: Infinity },
    async (m) => {
      for await (const { startMs } of m) if (startMs === 2000) break;
      m.stop();
    },
  );
  assertEquals([result.sent, result.received], [300, 300]);
  assertEquals(result.durationMs, 3000);
  assertEquals(result.valid, true);
});

Deno.test("a second stop ends the wait for answers, too", async () => {
  const network = simulateNetwork({ loss: 1 });
  await network.run(async () => {
    await using m = measure(REFLECTOR, {
      carrier: network,
      waitMs: 1_000_000,
      rate: 1,
    });
    m.stop();
    m.stop();
    const result = await m.result;
    assertAddsUp(result);
    assert(network.clock.now() < 1000);
  });
});

Deno.test("a signal stops a measurement as stop does", async () => {
  const controller = new AbortController();
  const result = await measured(
    { rate: 100, signal: controller.signal },
    async (m) => {
      for await (const _ of m) controller.abort();
    },
  );
  assertEquals([result.sent, result.received], [100, 100]);
});

Deno.test("a signal that has aborted before is the reason of the rejection", async () => {
  const network = simulateNetwork();
  const reason = new Error("enough");
  const m = measure(REFLECTOR, {
    carrier: network,
    signal: AbortSignal.abort(reason),
  });
  assertEquals(await m.result.catch((error) => error), reason);
  assertEquals(await m[Symbol.asyncIterator]().next().catch((e) => e), reason);
});

Deno.test("where nobody answers all is lost, it is unknown where, and the result says so", async () => {
  const network = simulateNetwork();
  const result = await network.run(async () => {
    await using m = measure(REFLECTOR, { carrier: network, count: 50 });
    return await m.result;
  });
  assertEquals([result.sent, result.received, result.lost.unknown], [
    50,
    0,
    50,
  ]);
  assertEquals(result.invalid, ["No question was answered"]);
});

Deno.test("an error of opening rejects the result and the iteration", async () => {
  const failing: CarrierSource = {
    listen: () => {
      throw new Error("no");
    },
    dial: () => Promise.reject(new errors.AddrNotAvailable("no such address")),
  };
  const m = measure(REFLECTOR, { carrier: failing });
  await assertRejects(() => m.result, errors.AddrNotAvailable);
  const intervals = m[Symbol.asyncIterator]();
  await assertRejects(() => intervals.next(), errors.AddrNotAvailable);
});

Deno.test("intervals that nobody reads stay few, and none of their counts is missing", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using _reflector = reflect(REFLECTOR, { carrier: network });
    await using m = measure(REFLECTOR, {
      carrier: network,
      rate: 1000,
      durationMs: 2000,
      intervalMs: 1,
    });
    const { sent, received } = await m.result;
    const sums = { sent: 0, received: 0 };
    let intervals = 0;
    for await (const interval of m) {
      intervals++;
      sums.sent += interval.sent;
      sums.received += interval.received;
    }
    assert(intervals <= 61, `${intervals}`);
    assertEquals(sums, { sent, received });
  });
});

Deno.test("a callback that throws or stops harms nothing, and is reported", async () => {
  const reported: unknown[] = [];
  let calls = 0;
  const result = await measured({
    rate: 1000,
    durationMs: 10_000,
    waitMs: 100,
    onError: (error) => void reported.push(error),
    onPacket: () => {
      calls++;
      throw new Error("mine");
    },
  }, async (m) => {
    for await (const _ of m) {
      m.stop();
      break;
    }
  });
  assertEquals([calls, reported.length], [result.sent, result.sent]);
});

/** A carrier whose `send` is changed. */
function sendingBy(
  source: CarrierSource,
  send: (carrier: Carrier, p: Uint8Array, n: number) => Promise<number>,
  maxSize = 65_507,
): CarrierSource {
  return {
    listen: (address) => source.listen(address),
    async dial(address) {
      const carrier = await source.dial!(address);
      let n = 0;
      const changed: Carrier = {
        addr: carrier.addr,
        clock: carrier.clock,
        receive: (p) => carrier.receive(p),
        send: (p) =>
          send({ ...changed, send: (q, to) => carrier.send(q, to) }, p, n++),
        maxSize: () => maxSize,
        close: () => carrier.close(),
      };
      return changed;
    },
  };
}

const TO = { transport: "udp", hostname: "10.0.0.1", port: 62862 } as const;

Deno.test("what the own system refuses to send is counted there", async () => {
  const reported: unknown[] = [];
  const network = simulateNetwork();
  const carrier = sendingBy(
    network,
    (carrier, p, n) =>
      n % 4 === 0
        ? Promise.reject(new Error("no buffer space"))
        : carrier.send(p, TO),
  );
  const result = await measured({
    carrier,
    count: 100,
    onError: (error) => void reported.push(error),
  });
  // Over another network than the reflector's, so none is answered.
  assertEquals([result.sent, result.lost.ownSend, reported.length], [
    100,
    25,
    25,
  ]);
  assertAddsUp(result);
});

Deno.test("a sender that is late makes the result invalid, and says by how much", async () => {
  const network = simulateNetwork();
  const carrier = sendingBy(network, async (carrier, p) => {
    await new Promise<void>((go) => void network.clock.after(20, go));
    return carrier.send(p, TO);
  });
  const result = await network.run(async () => {
    await using _reflector = reflect(REFLECTOR, { carrier: network });
    await using m = measure(REFLECTOR, { carrier, rate: 100, count: 50 });
    return await m.result;
  });
  assertEquals(result.valid, false);
  assert(/left .* ms late or more/.test(result.invalid[0]!), result.invalid[0]);
  assert(
    /left at .* instead of 100/.test(result.invalid[1]!),
    result.invalid[1],
  );
  assert(result.rttMs.max > 400, "delays count from the planned time");
  assertAddsUp(result);
});

Deno.test("a carrier that never comes back from a send ends the measurement in time", async () => {
  const network = simulateNetwork();
  const carrier = sendingBy(network, () => new Promise<never>(() => {}));
  const result = await network.run(async () => {
    await using m = measure(REFLECTOR, { carrier, rate: 100, count: 50 });
    return await m.result;
  });
  assertEquals([result.sent, result.received], [50, 0]);
  assertAddsUp(result);
});

Deno.test("a size that the carrier cannot send rejects the result", async () => {
  const network = simulateNetwork();
  const small = sendingBy(network, (carrier, p) => carrier.send(p, TO), 500);
  await network.run(async () => {
    await using m = measure(REFLECTOR, { carrier: small, size: 501 });
    await assertRejects(() => m.result, MessageTooLargeError);
  });
});

Deno.test("a reflector that lies and floods fills no memory, and the parts still add up", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const network = simulateNetwork({ seed });
    const draw = random(seed);
    const anything = () => draw(2 ** 30) * 4 + draw(4);
    const lie = (question: Uint8Array) =>
      Array.from({ length: draw(6) }, () => {
        if (draw(4) === 0) return new Uint8Array(draw(200)).fill(draw(256));
        const forged = question.slice();
        // Its number, its time, its session: each by chance.
        if (draw(3) === 0) new DataView(forged.buffer).setUint32(0, anything());
        if (draw(9) === 0) {
          new DataView(forged.buffer).setUint16(14, draw(65_536));
        }
        return encodeAnswer(forged, {
          number: draw(2) === 0 ? anything() : draw(200),
          receivedMs: anything() * 1000,
          timeMs: anything() * 1000,
          counts: {
            received: anything(),
            distinct: anything(),
            duplicates: anything(),
            reordered: anything(),
            maxExtent: anything(),
            sumOfExtents: anything(),
            answered: anything(),
            limited: anything(),
            dropped: draw(2) === 0 ? undefined : anything(),
            isShared: draw(2) === 0,
          },
        });
      });
    await network.run(async () => {
      await using _reflector = startReflector(REFLECTOR, network, lie);
      await using m = measure(REFLECTOR, {
        carrier: network,
        count: 100,
        oneWay: true,
      });
      const result = await m.result;
      assertAddsUp(result);
      assertEquals(result.sent, 100);
      assert(result.unexpected > 0);
      assert(JSON.stringify(result).length < 10_000);
      for (
        const { min, max } of [result.rttMs, result.pathMs, result.reflectorMs]
      ) {
        assert(min >= 0 && max <= 4000, `${min} ${max}`);
      }
    });
  }
});

Deno.test("hundreds of measurements at once do not disturb each other", async () => {
  const network = simulateNetwork({ loss: 0.1 });
  await network.run(async () => {
    await using _reflector = reflect(REFLECTOR, {
      carrier: network,
      allow: ["10.0.0.0/8"],
    });
    const results = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const carrier = network.host(`10.0.${n >> 7}.${n % 128 + 2}`);
        await using m = measure(REFLECTOR, { carrier, count: 20 });
        return await m.result;
      }),
    );
    for (const result of results) {
      assertAddsUp(result);
      assertEquals([result.lost.unknown, result.reflector], [0, "pli"]);
    }
  });
});

Deno.test("a callback whose promise rejects is reported, too", async () => {
  const reported: unknown[] = [];
  const result = await measured({
    count: 10,
    onError: (error) => void reported.push(error),
    onPacket: (async () => {
      await Promise.resolve();
      throw new Error("mine");
    }) as () => void,
  });
  await Promise.resolve();
  assertEquals([result.received, reported.length], [10, 10]);
});

Deno.test("a measurement that was stopped before anything counted says so", async () => {
  const result = await measured({ omitMs: 5000, rate: 10 }, (m) => m.stop());
  assertEquals([result.sent, result.durationMs], [0, 0]);
  assertEquals(result.invalid, ["No question was sent"]);
});

Deno.test("intervals begin after what is omitted, however long that is", async () => {
  const result = await measured({
    omitMs: 2 ** 31 - 1,
    intervalMs: 1000,
    rate: 0.001,
    waitMs: 1000,
    count: 3,
  }, async (m) => {
    const starts = [];
    for await (const { startMs } of m) starts.push(startMs);
    assertEquals(starts[0], 0);
    assert(starts.every((start) => start >= 0));
  });
  assertEquals(result.received, 3);
});

Deno.test("a reflector that begins to number anew loses no answer", async () => {
  const network = simulateNetwork();
  let n = 0;
  const restarting = (question: Uint8Array, receivedMs: number) => [
    encodeAnswer(question, { number: n++ % 7, receivedMs }),
  ];
  await network.run(async () => {
    await using _reflector = startReflector(REFLECTOR, network, restarting);
    await using m = measure(REFLECTOR, { carrier: network, count: 50 });
    const result = await m.result;
    assertAddsUp(result);
    assertEquals([result.received, result.duplicates.back], [50, 0]);
  });
});

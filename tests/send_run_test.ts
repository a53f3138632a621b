import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  connect,
  ConnectedSocket,
  errors,
  MessageTooLargeError,
  type SentBatch,
  SocketClosedError,
} from "../mod.ts";
import {
  batchBound,
  FakeBatchCarrier,
  FakeRunCarrier,
  runBound,
} from "./support/fake_batches.ts";
import { FakeCarrier } from "./support/fakes.ts";
import {
  bytesOf,
  LOOPBACK,
  pattern,
  PEER,
  SOON,
  until,
} from "./support/helpers.ts";

/** How a carrier sends a run: all at once, or one datagram at a time. */
const CARRIERS = {
  "as a run": () => new FakeRunCarrier(),
  "in batches": () => new FakeBatchCarrier(),
  "one by one": () => new FakeCarrier({}),
};

function sentBy(carrier: FakeBatchCarrier | FakeCarrier): string[] {
  return carrier instanceof FakeCarrier ? carrier.sentTexts : carrier.sent;
}

for (const [how, make] of Object.entries(CARRIERS)) {
  Deno.test(`${how}: sendRun sends the datagrams in order and returns their number`, async () => {
    const carrier = make();
    const socket = new ConnectedSocket(carrier, PEER);
    assertEquals(await socket.sendRun("abcdefg", 3), 3);
    assertEquals(await socket.sendRun(bytesOf("xy"), 100), 1);
    assertEquals(sentBy(carrier), ["abc", "def", "g", "xy"]);
    const { sent, sentBytes, sendFailed, sending } = socket.stats;
    assertEquals([sent, sentBytes, sendFailed, sending], [4, 9, 0, 0]);
    socket.close();
  });

  Deno.test(`${how}: empty data is one empty datagram`, async () => {
    const carrier = make();
    const socket = new ConnectedSocket(carrier, PEER);
    assertEquals(await socket.sendRun("", 0), 1);
    assertEquals(await socket.sendRun(new Uint8Array(0), 5), 1);
    assertEquals(sentBy(carrier), ["", ""]);
    assertEquals(socket.stats.sent, 2);
    socket.close();
  });

  Deno.test(`${how}: later sends to the peer wait for a run, whatever it takes`, async () => {
    const carrier = make();
    const socket = new ConnectedSocket(carrier, PEER);
    if (carrier instanceof FakeRunCarrier) carrier.onRun = () => ({ sent: 1 });
    const text = "abcdefghij";
    await Promise.all([
      socket.send("first"),
      socket.sendRun(text, 1),
      socket.send("last"),
      socket.sendRun("!?", 1),
    ]);
    assertEquals(sentBy(carrier), ["first", ...text, "last", "!", "?"]);
    socket.close();
  });

  Deno.test(`${how}: closing stops a run, and its datagrams are counted`, async () => {
    const carrier = make();
    const socket = new ConnectedSocket(carrier, PEER);
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = async (result: SentBatch) => {
      if (sentBy(carrier).length >= 3) await promise;
      return result;
    };
    if (carrier instanceof FakeCarrier) {
      carrier.onSend = async (data) => {
        await hold({ sent: 1 });
        return data.length;
      };
    } else carrier.onBatch = () => hold({ sent: 1 });
    if (carrier instanceof FakeRunCarrier) {
      carrier.onRun = () => hold({ sent: 1 });
    }
    const sending = socket.sendRun("abcdefgh", 1);
    const later = socket.sendRun("never", 2);
    await until(() => sentBy(carrier).length >= 3);
    // Each may be the first to reject: a turn of the event loop may be due.
    const never = assertRejects(() => later, SocketClosedError);
    socket.close();
    resolve();
    const error = await assertRejects(() => sending, SocketClosedError);
    await never;
    const { sent, sendFailed, sending: left } = socket.stats;
    assertEquals(error.sent, sent);
    assertEquals([sent + sendFailed, left], [11, 0]);
    const after = await assertRejects(
      () => socket.sendRun("abc", 1),
      SocketClosedError,
    );
    assertEquals(after.sent, 0);
    assertEquals(socket.stats.sendFailed, sendFailed + 3);
  });

  Deno.test(`${how}: a run that is given up on stops, and counts as failed`, async () => {
    const carrier = make();
    const socket = new ConnectedSocket(carrier, PEER);
    const controller = new AbortController();
    const { signal } = controller;
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = async () => {
      controller.abort("enough");
      await promise;
      return { sent: 1 };
    };
    if (carrier instanceof FakeCarrier) {
      carrier.onSend = async (data) => {
        await hold();
        return data.length;
      };
    } else carrier.onBatch = hold;
    if (carrier instanceof FakeRunCarrier) carrier.onRun = hold;
    const sending = socket.sendRun("abcdefgh", 1, { signal });
    // Each may be the first to reject: a turn of the event loop may be due.
    const waiting = assertRejects(
      () => socket.sendRun("xyz", 1, { timeoutMs: 0 }),
      errors.TimedOut,
    );
    assertEquals(await sending.catch((reason) => reason), "enough");
    const late = await waiting;
    assertEquals((late as { sent?: number }).sent, 0);
    assertEquals(socket.stats.sendFailed, 11);
    resolve();
    await socket.send("next");
    assert(sentBy(carrier).length <= 2, "it went on");
    const { sent, sendFailed, sending: left } = socket.stats;
    assertEquals([sent, sendFailed, left], [1, 11, 0]);
    socket.close();
  });
}

Deno.test("a run stops at its first failure, and the error says how many were sent", async () => {
  const { carrier, socket } = runBound();
  carrier.onRun = () => ({
    sent: 2,
    error: new Deno.errors.PermissionDenied("no"),
  });
  const error = await assertRejects(
    () => socket.sendRun("abcdefg", 2, PEER),
    Deno.errors.PermissionDenied,
    "Cannot send 7 bytes in 4 datagrams from udp://127.0.0.1:62000 to " +
      "udp://127.0.0.1:40000: no",
  );
  const { operation, sent, remote } = error as unknown as Record<
    string,
    unknown
  >;
  assertEquals([operation, sent, remote], ["send", 2, PEER]);
  assertEquals(carrier.sent, ["ab", "cd"]);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [2, 2]);
  assertEquals([socket.stats.sentBytes, socket.stats.sending], [4, 0]);
  carrier.onRun = (sent) => ({ sent });
  assertEquals(await socket.sendRun("abc", 1, PEER), 3);
  socket.close();
});

Deno.test("one by one, a run stops at its first failure too", async () => {
  const carrier = new FakeCarrier({});
  const socket = new ConnectedSocket(carrier, PEER);
  carrier.onSend = (data) =>
    carrier.sent.length === 3
      ? Promise.reject(new Deno.errors.ConnectionRefused("nobody"))
      : Promise.resolve(data.length);
  const error = await assertRejects(
    () => socket.sendRun("abcdefg", 1),
    Deno.errors.ConnectionRefused,
  );
  assertEquals((error as { sent?: number }).sent, 2);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [2, 5]);
  socket.close();
});

for (
  const [what, result] of Object.entries({
    "nothing and gives no reason": { sent: 0 },
    "more than there are": { sent: 9 },
    "less than nothing": { sent: -1 },
    "a fraction": { sent: 0.5 },
    "no number": { sent: "2" },
    "nonsense": null,
  })
) {
  Deno.test(`a carrier that sends ${what} of a run is an error, not a loop`, async () => {
    const { carrier, socket } = runBound();
    carrier.onRun = () => result as SentBatch;
    await assertRejects(
      () => socket.sendRun("abcd", 2, PEER),
      Error,
      "its carrier sent",
    );
    assertEquals([socket.stats.sending, socket.stats.sendFailed], [0, 2]);
    socket.close();
  });
}

const wrongSizes = [0, -1, 1.5, NaN, Infinity, "5", null, undefined, 5n, {}];
for (const size of wrongSizes) {
  Deno.test(`a segment size of ${typeof size} ${size} is refused before anything is sent`, async () => {
    const { carrier, socket } = batchBound();
    const error = await assertRejects(
      () => socket.sendRun("abc", size as number, PEER),
      RangeError,
      "Cannot send: segmentSize must be a whole number from 1",
    );
    assertEquals((error as { sent?: number }).sent, 0);
    assertEquals([carrier.sent.length, socket.stats.sendFailed], [0, 1]);
    assertEquals(socket.stats.sending, 0);
    socket.close();
  });
}

Deno.test("a segment size that no datagram has is refused before anything is sent", async () => {
  const { carrier, socket } = runBound();
  const error = await assertRejects(
    () => socket.sendRun(new Uint8Array(200_000), 65_508, PEER),
    MessageTooLargeError,
    "one datagram holds at most 65507",
  );
  assertEquals(error.sent, 0);
  assertEquals([carrier.sent.length, socket.stats.sendFailed], [0, 4]);
  socket.close();
});

Deno.test("wrong data, addresses and options of sendRun are one clear line", async () => {
  const { carrier, socket } = runBound();
  const wrong: [unknown[], string][] = [
    [[5, 1, PEER], "data must be a string or a Uint8Array: given 5"],
    [[null, 1, PEER], "data must be a string or a Uint8Array"],
    [[[1, 2], 1, PEER], "data must be a string or a Uint8Array"],
    [["abc", 1], "Invalid address"],
    [["abc", 1, "tcp://127.0.0.1:1"], "Invalid address"],
    [["abc", 1, { ...PEER, port: 0 }], "Invalid address"],
    [["abc", 1, PEER, 5], "options must be an object"],
    [["abc", 1, PEER, { timeoutMs: -1 }], "timeoutMs must be"],
    [["abc", 1, PEER, { signal: {} }], "signal must be an AbortSignal"],
  ];
  for (const [args, text] of wrong) {
    const error = await assertRejects(
      () => Reflect.apply(socket.sendRun, socket, args),
      Error,
      text,
    );
    assert(!error.message.includes("\n"));
  }
  assertEquals([carrier.sent.length, socket.stats.sending], [0, 0]);
  socket.close();
});

Deno.test("the address of a run is read once", async () => {
  const { carrier, socket } = runBound();
  let reads = 0;
  const to = { ...PEER };
  Object.defineProperty(to, "port", {
    enumerable: true,
    get: () => reads++ === 0 ? PEER.port : 1,
  });
  const peers: unknown[] = [];
  const { sendRun } = carrier;
  carrier.sendRun = (data, size, peer) => {
    peers.push({ ...peer });
    carrier.onRun = () => ({ sent: 1 });
    to.hostname = "127.0.0.9";
    return sendRun.call(carrier, data, size, peer);
  };
  await socket.sendRun("abc", 1, to);
  assertEquals(peers, [PEER, PEER, PEER]);
  assertEquals(reads, 1);
  socket.close();
});

Deno.test("bytes that go while a run is sent stop it", async () => {
  for (const make of [runBound, batchBound]) {
    const { carrier, socket } = make();
    const bytes = bytesOf("abcdef");
    const take = () => {
      bytes.buffer.transfer();
      return { sent: 1 };
    };
    carrier.onBatch = take;
    if (carrier instanceof FakeRunCarrier) carrier.onRun = take;
    const error = await assertRejects(
      () => socket.sendRun(bytes, 1, PEER),
      TypeError,
      "its bytes are gone",
    );
    assertEquals((error as { sent?: number }).sent, 1);
    assertEquals([socket.stats.sent, socket.stats.sendFailed], [1, 5]);
    await assertRejects(
      () => socket.sendRun(bytes, 1, PEER),
      TypeError,
      "gone",
    );
    socket.close();
  }
});

Deno.test("shared, resizable and overridden bytes are sent as they are", async () => {
  const { carrier, socket } = runBound();
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  shared.set(bytesOf("shar"));
  const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
  const resizable = new Uint8Array(buffer);
  resizable.set(bytesOf("size"));
  const liar = bytesOf("liar");
  for (const name of ["length", "byteLength", "byteOffset", "subarray"]) {
    Object.defineProperty(liar, name, { value: 1 });
  }
  for (const bytes of [shared, resizable, liar]) {
    assertEquals(await socket.sendRun(bytes, 2, PEER), 2);
  }
  // What grows meanwhile is not part of the run.
  carrier.onRun = (sent) => {
    buffer.resize(8);
    return { sent: Math.min(1, sent) };
  };
  assertEquals(await socket.sendRun(resizable, 2, PEER), 2);
  assertEquals(carrier.sent.join(""), "sharsizeliarsize");
  socket.close();
});

Deno.test("a signal's reason is passed on as it is, without sent", async () => {
  const { socket } = runBound();
  const reason = new errors.TimedOut("mine");
  Object.assign(reason, { operation: "mine" });
  const thrown = await socket.sendRun("abc", 1, PEER, {
    signal: AbortSignal.abort(reason),
  }).catch((error) => error);
  assert(thrown === reason);
  assert(!("sent" in thrown));
  assertEquals([socket.stats.sendFailed, socket.stats.sending], [3, 0]);
  socket.close();
});

Deno.test("a disposal waits for a run that is being sent", async () => {
  const { carrier, socket } = runBound();
  carrier.onRun = async () => {
    await Promise.resolve();
    return { sent: 1 };
  };
  const sending = socket.sendRun("abcdefgh", 1, PEER);
  await socket[Symbol.asyncDispose]();
  assertEquals(await sending, 8);
});

Deno.test("over UDP a run arrives datagram by datagram, also from a bound socket", async () => {
  await using socket = bind(LOOPBACK);
  await using client = await connect(socket.addr);
  const data = pattern(250);
  assertEquals(await client.sendRun(data, 100), 3);
  assertEquals(await client.sendRun("", 0), 1);
  const sizes: number[] = [];
  const { from } = await socket.receive(SOON);
  for await (const run of socket.runs(SOON)) {
    sizes.push(run.data.length);
    if (sizes.length === 3) break;
  }
  assertEquals(sizes, [100, 50, 0]);
  assertEquals(await socket.sendRun(data, 50, from), 5);
  for (let n = 0; n < 5; n++) {
    const { data: bytes } = await client.receive(SOON);
    assertEquals(bytes, data.subarray(n * 50, n * 50 + 50));
  }
});
